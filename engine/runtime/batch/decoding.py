"""Decoding a stranger's file where it can do no harm: in a child of its own, fenced in, whose results are only data.

A file that crashes the decoder, never ends, or needs more than a call's recording of its size can need, is a ``MediaError`` like
any other bad file; whoever decodes goes on with the next. What goes wrong around it (no memory left on the machine, a killed
process) is a ``ModelBroken``: the file may be heard another time.

The sound comes back in memory that both processes map, so it is never copied.
"""

from __future__ import annotations

import fcntl
import io
import json
import mmap
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

import numpy as np
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from engine.audio.recording import Limits, Poured, Recording
from engine.audio.riff import wav_header
from engine.core.audio import TELEPHONY, AudioFormat, Samples
from engine.core.errors import MediaError, ModelBroken
from engine.core.units import Seconds
from engine.runtime.batch.decoding_children import MOST_SAID, Report, Request, stride
from engine.runtime.batch.fence import Allowance
from engine.runtime.process import spawned
from engine.store.keys import KeyFile
from engine.store.sealed_files import opened as open_sealed
from engine.store.wrapped_keys import is_sealed, put

_log = structlog.get_logger(__name__)
_BEGIN = "from engine.runtime.batch.decoding_children import main; main()"
_GRACE = Seconds(30.0)  # for the warm process itself
_TOO_LONG = {-signal.SIGPROF, -signal.SIGXCPU}
_NOT_THE_FILE = {1, -signal.SIGKILL}
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
_BLOCK = 512  # bytes, of st_blocks
_PIECE = 1 << 20  # bytes, brought into memory at once
_PROBE = wav_header(TELEPHONY.rate_hz, 1, 320) + bytes(320)

CALLS = Limits(most_samples=4 * 3600 * 2 * 8_000)
"""What the recording of a call may be: 4 hours of two channels at 8 kHz, 2 at 16 kHz, 40 minutes at 48 kHz; 460 MB of memory."""

_MOST_IN_MEMORY: Final = 8 * CALLS.most_samples
"""Bytes of a file that is decrypted: no encoding takes more for a sample."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a file may cost; grows with its bytes."""

    at_least: Seconds = Seconds(1.0)
    """Of processor time: what any file may take."""

    bytes_per_second: float = 250_000.0
    """And a second more for so many bytes. Speech as Opus, the slowest, takes one for 900,000 on a core of 2024."""

    memory_bytes: int = 192 << 20
    """Beside the sound and the libraries."""

    @property
    def patience(self) -> Seconds:
        """On the clock, for a file that may take :attr:`at_least`: a busy machine may take thirty times as long."""
        return Seconds(30 * self.at_least)

    def compute(self, size: int) -> Seconds:
        """For a file of so many bytes."""
        return Seconds(self.at_least + size / self.bytes_per_second)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a file has cost."""

    compute: Seconds
    """Of processor time, in the child."""

    memory_bytes: int
    """The child's, the libraries' 30 MB included, and its sound."""


class _Answer(BaseModel):
    """What a child says; nothing of it is believed that can be checked."""

    model_config = ConfigDict(strict=True, extra="ignore")

    refused: str = ""
    failed: str = ""
    rate_hz: int = 0
    channels: int = 0
    frames: int = 0
    encoding: str = ""
    warnings: list[str] = []


class Decoder:
    """Decodes one file at a time, each in a child of its own. A context, or :meth:`close` it; starts at its first use."""

    def __init__(self, limits: Limits = CALLS, cost: Cost = Cost(), keys: KeyFile | None = None) -> None:
        """``keys``: of files that are encrypted; they are decrypted in memory, and no child sees a key."""
        self._limits, self._cost, self._keys = limits, cost, keys
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._filter_calls = True
        self.last = Spent(Seconds(0.0), 0)
        """What the last file cost."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the warm process, and what it may still be decoding."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def decoded(self, path: Path) -> Recording:
        """Decode a whole file.

        Raises:
            MediaError: it can't be read, is no sound, holds none, is broken, is beyond the limits, or does harm.
            ModelBroken: it could not be tried.
        """
        self._start()
        with _opened(path, self._keys) as (file, size), _sound(self._limits) as sound:
            request = self._request(_printable(path), size)
            report = self._asked(request, file, sound)
            self.last = Spent(report.compute, report.peak_bytes + os.fstat(sound).st_blocks * _BLOCK)
            return _recording(_poured(report, request, size), sound, self._limits)

    def _request(self, name: str, size: int) -> Request:
        compute = self._cost.compute(size)
        written = 2 * self._limits.most_samples + self._limits.most_channels * mmap.PAGESIZE
        allowance = Allowance(compute, self._cost.memory_bytes, written, self._filter_calls)
        return Request(name, self._limits, allowance, Seconds(self._cost.patience + 10 * compute))

    def _asked(self, request: Request, file: int, sound: int) -> Report:
        assert self._socket is not None
        try:
            self._socket.settimeout(request.patience + _GRACE)
            socket.send_fds(self._socket, [request.packed()], [file, sound])
            octets = self._socket.recv(MOST_SAID)
        except OSError as error:
            octets, why = b"", str(error)
        else:
            why = "it ended"
        if not octets:
            self.close()
            raise ModelBroken(f"expected the decoding process to answer, found: {why}")
        return Report(**json.loads(octets))

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._socket, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._process = spawned(_BEGIN, "callwright-decoding", theirs.fileno())
            except OSError as error:
                raise ModelBroken(f"expected a process to decode in, found: {error.strerror}") from error
        self._probe()

    def _probe(self) -> None:
        """Find out whether a filter of system calls works here; what else fences the children in needs no luck."""
        if self._filter_calls and not self._decodes_a_probe():
            self._filter_calls = False
            _log.warning("decoding.calls_not_filtered", reason="the system accepts no such filter, or it is too narrow here")

    def _decodes_a_probe(self) -> bool:
        with _in_memory("probe", io.BytesIO(_PROBE)) as file, _sound(self._limits) as sound:
            return self._asked(self._request("probe", len(_PROBE)), file, sound).status == 0


def decoded(path: Path, limits: Limits = CALLS) -> Recording:
    """Decode one file. Who decodes many keeps a :class:`Decoder`: it starts in a quarter of a second, and a file costs some 7 ms.

    Raises:
        MediaError, ModelBroken: as :meth:`Decoder.decoded`.
    """
    with Decoder(limits) as decoder:
        return decoder.decoded(path)


def _printable(path: Path) -> str:
    """A name may be any bytes; a message may not."""
    return os.fsencode(path).decode("utf-8", "replace")


def _poured(report: Report, request: Request, size: int) -> Poured:
    name = request.name
    if report.late:
        raise MediaError(f"{name}: expected to be decoded within {request.patience:.0f} s, found no end of it")
    if report.status in _TOO_LONG:
        allowed = f"{request.allowance.compute:.1f} s of computing, as its {size} bytes allow"
        raise MediaError(f"{name}: expected to be decoded in {allowed}, found that it takes longer")
    if report.answer == "" and report.status in _NOT_THE_FILE:
        raise ModelBroken(f"expected the decoding to end, found status {report.status}: killed from outside, or a bug of ours")
    if report.status < 0 and report.status != -signal.SIGKILL:  # which ends a child that talks too much
        crash = signal.Signals(-report.status).name
        raise MediaError(f"{name}: expected a sound file that can be decoded, found one that crashes the decoder ({crash})")
    return _believed(report.answer, request.limits, name)


def _believed(said: str, limits: Limits, name: str) -> Poured:
    harmful = MediaError(f"{name}: expected a sound file, found one that made its decoder say what can't be")
    try:
        answer = _Answer.model_validate_json(said)
    except ValidationError as error:
        raise harmful from error
    if answer.failed:
        raise ModelBroken(f"expected to decode {name}, found: {answer.failed}")
    if answer.refused:
        raise MediaError(answer.refused)
    plausible = (
        limits.lowest_hz <= answer.rate_hz <= limits.highest_hz
        and 1 <= answer.channels <= limits.most_channels
        and 1 <= answer.frames <= limits.most_samples // answer.channels
    )
    if not plausible:
        raise harmful
    return Poured(AudioFormat(answer.rate_hz), answer.channels, answer.frames, answer.encoding, tuple(answer.warnings))


def _recording(poured: Poured, sound: int, limits: Limits) -> Recording:
    step = stride(limits, poured.channels)
    return poured.recording([_plane(sound, place * step, poured.frames) for place in range(poured.channels)])


def _plane(sound: int, begin: int, frames: int) -> Samples:
    """One channel, in the memory where the child left it; whoever writes there writes to a copy of the page."""
    mapped = mmap.mmap(sound, 2 * frames, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE, offset=begin)
    return np.frombuffer(mapped, np.int16)


@contextmanager
def _opened(path: Path, keys: KeyFile | None) -> Iterator[tuple[int, int]]:
    """The file and its size; a pipe or a device is not even waited for."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise MediaError(f"{path}: expected a readable file, found: {error.strerror}") from error
    try:
        told = os.fstat(file)
        if not stat.S_ISREG(told.st_mode):
            raise MediaError(f"{path}: expected a regular file, found a folder, pipe or device")
        if is_sealed(file):
            with open_sealed(path, keys) as sealed, _in_memory("unsealed", sealed) as clear:
                yield clear, os.fstat(clear).st_size
        else:
            yield file, told.st_size
    finally:
        os.close(file)


@contextmanager
def _sound(limits: Limits) -> Iterator[int]:
    """A file in memory, as long as the longest recording; takes room for what is written only."""
    file = os.memfd_create("callwright-sound", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(file, 2 * limits.most_samples + limits.most_channels * mmap.PAGESIZE)
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)  # a child that cut it short would crash who maps it
        yield file
    finally:
        os.close(file)


@contextmanager
def _in_memory(name: str, source: IO[bytes]) -> Iterator[int]:
    """A file in memory; a piece at a time, so that it is there once."""
    file, at = os.memfd_create(name, os.MFD_CLOEXEC), 0
    try:
        while octets := source.read(_PIECE):
            put(file, octets, at)
            at += len(octets)
            if at > _MOST_IN_MEMORY:
                raise MediaError(f"expected at most {_MOST_IN_MEMORY} bytes in an encrypted file, found more")
        yield file
    finally:
        os.close(file)
