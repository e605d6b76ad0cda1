"""The database, asked in one thread: once, or for as long as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Final, ParamSpec, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.core.units import Seconds

_log = structlog.get_logger(__name__)
_P = ParamSpec("_P")
_R = TypeVar("_R")
TROUBLE: Final = Seconds(1.0)  # until the database is tried again


def utc_now() -> datetime:
    """The wall clock, for what is only written down; whether somebody may be called is judged by a surer one."""
    return datetime.now(UTC)


class Paperwork:
    """Close it when nothing is left to be written."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "outbound database")

    async def ask(self, work: Callable[_P, _R], *arguments: _P.args, **named: _P.kwargs) -> _R:
        """Do it once. Not safe to cancel: it may be done all the same.

        Raises:
            SQLAlchemyError: the database is away, or says no.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *arguments, **named))

    async def surely(self, work: Callable[_P, _R], *arguments: _P.args, **named: _P.kwargs) -> _R:
        """Do it however long the database is away; what is asked must bear to be done twice. Safe to cancel."""
        while True:
            try:
                return await self.ask(work, *arguments, **named)
            except SQLAlchemyError as error:
                _log.error("outbound.database", error=type(error).__name__)
                await asyncio.sleep(TROUBLE)

    def close(self) -> None:
        """Wait for the thread."""
        self._thread.shutdown()
