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


async def _done_by_one(work: Beside) -> str:
    """Have one process do it for as long as it lives; how it ended. When this is cancelled it is killed."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = spawned(work.begin, work.name, theirs.fileno())
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        writer.write(json.dumps(work.told).encode() + b"\n")
        await reader.read()  # it says nothing: this is its end
    finally:
        writer.close()
        process.kill()
        await asyncio.to_thread(process.wait)
    return f"its process ended, {process.returncode}"


def run(keep_up: Callable[[Callable[[float], bool], Any], None]) -> None:
    """Run the process: ``keep_up`` gets a way to wait for some seconds, which says whether the engine has ended, and what it is
    to know."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine ends us
    harden()
    set_up_logs()
    os.setpriority(os.PRIO_PROCESS, 0, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))  # who began behind it stays there
    with socket.socket(fileno=int(sys.argv[1])) as engine, engine.makefile("rb") as told:
        if said := told.readline():
            keep_up(lambda seconds: bool(select.select([engine], [], [], seconds)[0]), json.loads(said))
