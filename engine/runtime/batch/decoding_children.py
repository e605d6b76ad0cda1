"""The process that lets children decode: warm, so that a child costs milliseconds, and never touching a stranger's byte itself.

For each file it forks a child, which fences itself in (:mod:`engine.runtime.batch.fence`), decodes, says in JSON what it found,
and ends. One file, one child: none can spoil the next. This process is single-threaded, so that forking it is safe; it ends when
its worker does, and a child is killed when its time is up or nobody waits for it any more.
"""

from __future__ import annotations

import errno
import fcntl
import gc
import io
import json
import mmap
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.audio import _av
from engine.audio.files import pour
from engine.audio.recording import Limits
from engine.core.errors import MediaError
from engine.core.hardened import harden
from engine.core.units import Seconds
from engine.runtime.batch.fence import Allowance, shut_in

MOST_SAID = 1 << 17  # bytes of a message
_MOST_ANSWERED = 1 << 14  # bytes; escaped, at most six times as many
_FIRST_FREE = 6  # descriptors of a child: nothing in, nothing out, no complaints, its file, its sound, its answer
_FILE, _SOUND, _ANSWER = 3, 4, 5

Block: TypeAlias = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Request:
    """A file to decode. Two descriptors come with it: the file, and where its sound goes."""

    name: str
    """For messages."""

    limits: Limits
    allowance: Allowance

    patience: Seconds
    """On the clock, however little the child computes."""

    def packed(self) -> bytes:
        """As it is sent."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def unpacked(cls, octets: bytes) -> Request:
        """As it was sent."""
        raw = json.loads(octets)
        return cls(**{**raw, "limits": Limits(**raw["limits"]), "allowance": Allowance(**raw["allowance"])})


@dataclass(frozen=True, slots=True)
class Report:
    """How a child ended."""

    status: int
    """Its exit status, or minus the signal that ended it."""

    late: bool
    """It was killed when its patience was over."""

    compute: Seconds
    peak_bytes: int
    """Resident, the warm process's share included."""

    answer: str
    """What it said: JSON, if all is well. It is as trustworthy as the file."""


def stride(limits: Limits, channels: int) -> int:
    """Bytes between the channels' beginnings in the sound's file; pages, so that each can be mapped by itself."""
    return -(-2 * (limits.most_samples // channels) // mmap.PAGESIZE) * mmap.PAGESIZE


def main() -> None:
    """Serve the worker whose socket is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    harden()
    _av.load_whole()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)  # decoders complain to the terminal
    gc.freeze()  # so that no child copies pages by collecting
    with socket.socket(fileno=int(sys.argv[1])) as worker, suppress(ConnectionError):
        serve(worker)


def serve(worker: socket.socket) -> None:
    """Have one file after the other decoded, until the worker is gone.

    Raises:
        ConnectionError: it went in the middle.
    """
    while True:
        octets, passed, _, _ = socket.recv_fds(worker, MOST_SAID, 2)
        if not octets:
            return
        report = _reported(Request.unpacked(octets), passed[0], passed[1], worker)
        worker.send(json.dumps(asdict(report), ensure_ascii=False).encode())


def _reported(request: Request, file: int, sound: int, worker: socket.socket) -> Report:
    hear, say = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_child(request, file, sound, say)
    for mine in (file, sound, say):
        os.close(mine)
    try:
        answer, late = _answer(hear, worker, request.patience)
    finally:
        os.close(hear)
        os.kill(child, signal.SIGKILL)  # if it has not ended by itself; it is not yet waited for
        _, status, usage = os.wait4(child, 0)
    compute = Seconds(usage.ru_utime + usage.ru_stime)
    return Report(os.waitstatus_to_exitcode(status), late, compute, usage.ru_maxrss * 1024, answer.decode("utf-8", "replace"))


def _answer(hear: int, worker: socket.socket, patience: Seconds) -> tuple[bytes, bool]:
    """What the child says until it ends, or until nobody waits any more."""
    waiting = select.poll()
    waiting.register(hear, select.POLLIN)
    waiting.register(worker, 0)  # its end only
    answer, until = b"", time.monotonic() + patience
    while len(answer) <= _MOST_ANSWERED:
        events = dict(waiting.poll(max(0.0, until - time.monotonic()) * 1000))
        if not events:
            return b"", True
        if worker.fileno() in events:
            raise ConnectionResetError
        piece = os.read(hear, _MOST_ANSWERED)
        if not piece:
            break
        answer += piece
    return answer[:_MOST_ANSWERED], False


def _be_the_child(request: Request, *held: int) -> None:
    """Decode, say, end; never returns."""
    try:
        _hold_only(held)
        shut_in(request.allowance, _FIRST_FREE)
        said = _said_of(request)
        os.write(_ANSWER, json.dumps(said, ensure_ascii=False).encode("utf-8", "replace"))
        os._exit(0)
    finally:
        os._exit(1)


def _hold_only(held: tuple[int, ...]) -> None:
    """Keep these, at the places where they are looked for, and nothing else of the warm process's."""
    aside = [fcntl.fcntl(each, fcntl.F_DUPFD, _FIRST_FREE) for each in held]
    for place, each in zip((_FILE, _SOUND, _ANSWER), aside, strict=True):
        os.dup2(each, place)
    os.closerange(_FIRST_FREE, os.sysconf("SC_OPEN_MAX"))


def _said_of(request: Request) -> dict[str, Any]:
    file = io.FileIO(_FILE)
    file.name = request.name
    sound = _Sound(request.limits)
    try:
        poured = pour(io.BufferedReader(file), sound.take, request.limits)
    except MediaError as error:
        return {"refused": str(error)}
    except MemoryError:
        megabytes = request.allowance.memory_bytes // 1_000_000
        return {"refused": f"{request.name}: expected to be decoded within {megabytes} MB of memory, found that it needs more"}
    except OSError as error:
        return {"failed": str(error.strerror)}
    said = asdict(poured)
    return {**said, "format": None, "rate_hz": poured.format.rate_hz}


class _Sound:
    """Takes blocks, and writes each channel to its own stretch of the sound's file."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._frames = limits, 0

    def take(self, block: Block) -> None:
        """Write a block of shape ``(n, channels)``."""
        step = stride(self._limits, block.shape[1])
        for place, plane in enumerate(block.T):
            octets = np.ascontiguousarray(plane).tobytes()
            if os.pwrite(_SOUND, octets, place * step + 2 * self._frames) != len(octets):
                raise OSError(errno.ENOSPC, "no room for the sound")
        self._frames += len(block)
