"""What is due is deleted once a day while an engine runs, by a process of its own (:mod:`engine.server.beside`).

Of several engines with one database each does it; what one has begun with the others leave alone. An engine that did not run at
the time of the day does it as soon as it runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.access.deeds import Deed
from engine.config import Config
from engine.core.errors import EngineError
from engine.runtime.keeping.deleting import Keeping
from engine.server.beside import Beside, done_beside, run
from engine.store.audit import Asked
from engine.store.database import connect

_log = structlog.get_logger(__name__)
_BEGIN: Final = "from engine.server.keeping import main; main()"
TOLD: Final = {"store", "qa", "assist", "keeping", "access"}
"""What of the configuration is needed to look for what is due."""

_LOOK: Final = 60.0  # seconds
_AFTER_FAILURE: Final = 900.0


def kept(config: Config) -> AbstractAsyncContextManager[None]:
    """Do so until the way out; nothing where calls are kept for ever."""
    if config.keeping is None:
        return contextlib.nullcontext()
    return done_beside(Beside("keeping", _BEGIN, config.model_dump(mode="json", include=TOLD)))


def is_time(now: datetime, at: time, last: datetime | None) -> bool:
    """Whether it was not done since it last should have been; ``now`` in the zone that ``at`` is meant in."""
    return last is None or last < next_time(now, at) - timedelta(days=1)


def next_time(now: datetime, at: time) -> datetime:
    """When it should be done next."""
    should = datetime.combine(now.date(), at, now.tzinfo)
    return should if should > now else should + timedelta(days=1)


def main() -> None:
    """Run the process."""
    run(_keep_up)


def _keep_up(ended: Callable[[float], bool], told: Any) -> None:
    config = Config.model_validate(told)
    keeping, pause = Keeping.of(config, connect(config.store.database)), 0.0
    while not ended(pause):
        try:
            _run(config, keeping)
            pause = _LOOK
        except (SQLAlchemyError, EngineError, OSError) as error:
            _log.error("keeping.not_run", error=type(error).__name__)
            pause = _AFTER_FAILURE


def _run(config: Config, keeping: Keeping) -> None:
    last = next((datetime.fromisoformat(it.at) for it, _ in keeping.trail.rows(Asked(what=Deed.KEEPING_RAN), most=1)), None)
    if config.keeping is not None and is_time(datetime.now().astimezone(), config.keeping.hour, last):
        done = keeping.run(datetime.now(UTC))
        held, late = done.held.total(), done.in_hand
        _log.info("keeping.run", calls=done.gone.total(), contacts=done.contacts, files=done.files, held=held, in_hand=late)
