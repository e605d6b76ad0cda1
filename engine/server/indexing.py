"""Calls are found soon after they end: while the engine runs, what has changed is looked for every other second.

By a process of its own (:mod:`engine.server.beside`): it reads transcripts and makes words of them. A call that it was at when it
was killed is looked at again by the next.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.config import Config
from engine.runtime.indexing import Indexer
from engine.server.beside import AFTER_FAILURE, Beside, done_beside, run
from engine.store.database import connect
from engine.store.keys import KeyFile

_log = structlog.get_logger(__name__)
_BEGIN: Final = "from engine.server.indexing import main; main()"
_EVERY: Final = 2.0  # seconds


def indexed(config: Config) -> AbstractAsyncContextManager[None]:
    """Do so until the way out."""
    keys = config.store.key_file
    return done_beside(Beside("index", _BEGIN, [config.store.database, str(config.qa.folder), str(keys) if keys else None]))


def main() -> None:
    """Run the process."""
    run(_keep_up)


def _keep_up(ended: Callable[[float], bool], told: Any) -> None:
    address, folder, keys = told
    indexer, pause = Indexer(connect(address), Path(folder), KeyFile(Path(keys)) if keys else None), _EVERY
    while not ended(pause):
        try:
            for _ in indexer.catch_up():
                if ended(0.0):
                    return
            pause = _EVERY
        except SQLAlchemyError as error:
            _log.error("index.not_kept_up", error=type(error).__name__)
            pause = AFTER_FAILURE
