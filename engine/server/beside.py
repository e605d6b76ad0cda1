"""Work that goes on while an engine runs, by a process of its own: beside calls in progress it would hold the interpreter up.

The process ends when the engine does, however that ends, and is begun again when it ends by itself. What it is to know it reads
from its socket, not from its arguments: the address of a database may hold its password.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from engine.core.hardened import harden
from engine.runtime.logs import set_up_logs
from engine.runtime.process import spawned

_log = structlog.get_logger(__name__)
_FIRST: Final = 2.0  # seconds
AFTER_FAILURE: Final = 30.0
_NICE: Final = 10  # behind the media loop and behind the recognisers


@dataclass(frozen=True, slots=True)
class Beside:
    """Something to be done by a process."""

    name: str
    """For logs, and for the eyes of who lists processes."""

    begin: str
    """A statement that runs it: it should come to :func:`run`."""

    told: Any
    """What it is to know; JSON."""


@contextlib.asynccontextmanager
async def done_beside(work: Beside) -> AsyncIterator[None]:
    """Have it done until the way out."""
    keeping = asyncio.create_task(_kept_up(work))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _kept_up(work: Beside) -> None:
    """Have it done by a process, and by another when that one has ended."""
    pause = _FIRST
    while True:
        await asyncio.sleep(pause)
        try:
            ended = await _done_by_one(work)
        except OSError as error:  # no room for a process
            ended = f"no process: {error.strerror}"
        _log.error(f"{work.name}.not_kept_up", found=ended)
        pause = AFTER_FAILURE


async def answered(work: Beside) -> Any:
    """Have a process find something out, once (:func:`reply`); JSON.

    Raises:
        OSError: there is no room for it.
        ValueError: it has said nothing, for it failed: its log says why.
    """
    said, _ = await _heard_out(work)
    return json.loads(said)


async def _done_by_one(work: Beside) -> str:
    """Have one process do it for as long as it lives; how it ended."""
    _, status = await _heard_out(work)
    return f"its process ended, {status}"


async def _heard_out(work: Beside) -> tuple[bytes, int]:
    """What a process says before its end, and its exit status. When this is cancelled it is killed."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = spawned(work.begin, work.name, theirs.fileno())
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        writer.write(json.dumps(work.told).encode() + b"\n")
        said = await reader.read()  # to its end
    finally:
        writer.close()
        process.kill()
        status = await asyncio.to_thread(process.wait)
    return said, status


def run(keep_up: Callable[[Callable[[float], bool], Any], None]) -> None:
    """Run the process: ``keep_up`` gets a way to wait for some seconds, which says whether the engine has ended, and what it is
    to know."""
    with _begun() as engine, engine.makefile("rb") as told:
        if said := told.readline():
            keep_up(lambda seconds: bool(select.select([engine], [], [], seconds)[0]), json.loads(said))


def reply(find: Callable[[Any], Any]) -> None:
    """Run a process that finds something out: ``find`` gets what it is to know, and gives JSON."""
    with _begun() as engine, engine.makefile("rb") as told:
        if said := told.readline():
            engine.sendall(json.dumps(find(json.loads(said))).encode())


def _begun() -> socket.socket:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine ends us
    harden()
    set_up_logs()
    os.setpriority(os.PRIO_PROCESS, 0, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))  # who began behind it stays there
    return socket.socket(fileno=int(sys.argv[1]))
