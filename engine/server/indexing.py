"""Calls are found soon after they end: while the engine runs, what has changed is looked for every other second.

By a process of its own: to read transcripts and make words of them beside calls in progress would hold the interpreter up for
them. It ends when the engine does, however that ends, and is begun again when it ends by itself.
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
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.config import Config
from engine.core.hardened import harden
from engine.runtime.indexing import Indexer
from engine.runtime.logs import set_up_logs
from engine.runtime.process import spawned
from engine.store.database import connect

_log = structlog.get_logger(__name__)
_BEGIN: Final = "from engine.server.indexing import main; main()"
_EVERY: Final = 2.0  # seconds
_AFTER_FAILURE: Final = 30.0
_NICE: Final = 10  # behind the media loop and behind the recognisers


@contextlib.asynccontextmanager
async def indexed(config: Config) -> AsyncIterator[None]:
    """Do so until the way out."""
    keeping = asyncio.create_task(_kept_up(config))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _kept_up(config: Config) -> None:
    """Have it done by a process, and by another when that one has ended."""
    pause = _EVERY
    while True:
        await asyncio.sleep(pause)
        try:
            ended = await _done_by_one(config)
        except OSError as error:  # no room for a process
            ended = f"no process: {error.strerror}"
        _log.error("index.not_kept_up", found=ended)
        pause = _AFTER_FAILURE


async def _done_by_one(config: Config) -> str:
    """Have one process do it for as long as it lives; how it ended.

    When this is cancelled it is killed: a call that it was at is looked at again by the next.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = spawned(_BEGIN, "index", theirs.fileno())
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        # Not as an argument: the address of a database may hold its password.
        writer.write(json.dumps([config.store.database, str(config.qa.folder)]).encode() + b"\n")
        await reader.read()  # it says nothing: this is its end
    finally:
        writer.close()
        process.kill()
        await asyncio.to_thread(process.wait)
    return f"its process ended, {process.returncode}"


def main() -> None:
    """Run the process; its arguments are the engine's socket and its own name."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine ends us
    harden()
    set_up_logs()
    os.nice(_NICE - os.nice(0))
    with socket.socket(fileno=int(sys.argv[1])) as engine, engine.makefile("rb") as told:
        if said := told.readline():
            address, folder = json.loads(said)
            _keep_up(engine, address, Path(folder))


def _keep_up(engine: socket.socket, address: str, folder: Path) -> None:
    database = connect(address)
    indexer, pause = Indexer(database, folder), _EVERY
    while not select.select([engine], [], [], pause)[0]:  # the engine says nothing more: what comes is its end
        try:
            for _ in indexer.catch_up():
                if select.select([engine], [], [], 0.0)[0]:
                    return
            pause = _EVERY
        except SQLAlchemyError as error:
            _log.error("index.not_kept_up", error=type(error).__name__)
            pause = _AFTER_FAILURE
