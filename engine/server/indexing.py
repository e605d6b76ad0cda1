"""Calls are found soon after they end: while the engine runs, what has changed is looked for every other second."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.config import Config
from engine.runtime.indexing import Indexer
from engine.store.database import connect

_log = structlog.get_logger(__name__)
_EVERY: Final = 2.0  # seconds
_AFTER_EACH: Final = 0.02  # seconds; this thread shares the interpreter with calls in progress, and does not hurry
_AFTER_FAILURE: Final = 30.0


@contextlib.asynccontextmanager
async def indexed(config: Config) -> AsyncIterator[None]:
    """Do so until the way out."""
    stop = threading.Event()
    thread = threading.Thread(target=_keep_up, args=(config, stop), name="index", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        await asyncio.to_thread(thread.join)


def _keep_up(config: Config, stop: threading.Event) -> None:
    database = connect(config.store.database)
    indexer = Indexer(database, config.qa.folder)
    try:
        while not stop.wait(_EVERY):
            try:
                for _ in indexer.catch_up():
                    if stop.wait(_AFTER_EACH):
                        break
            except SQLAlchemyError as error:
                _log.error("index.not_kept_up", error=type(error).__name__)
                stop.wait(_AFTER_FAILURE)
    finally:
        database.dispose()
