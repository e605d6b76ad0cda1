"""What the house needs every hour while the engine runs: the audit chain's head goes out, what is too old is taken out, of
the chain and of the API's answers, and the database looks at how it has grown."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.config.access import AccessSection
from engine.core.errors import ConfigError
from engine.store.answers import Answers
from engine.store.audit import Trail
from engine.store.database import survey
from engine.store.heads import append_head

_log = structlog.get_logger(__name__)
_EVERY: Final = 3600.0  # seconds
_BY: Final = "machine:engine"


@contextlib.asynccontextmanager
async def kept_up(trail: Trail, section: AccessSection) -> AsyncIterator[None]:
    """Do so until the way out, and then once more."""
    working = asyncio.create_task(_hourly(trail, section))
    try:
        yield
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await asyncio.to_thread(_export, trail, section)


async def _hourly(trail: Trail, section: AccessSection) -> None:
    while True:
        await asyncio.to_thread(_export, trail, section)
        await asyncio.to_thread(_prune, trail, section)
        await asyncio.to_thread(_forget, trail)
        await asyncio.to_thread(_survey, trail)
        await asyncio.sleep(_EVERY)


def _export(trail: Trail, section: AccessSection) -> None:
    """To the log too: most banks collect it elsewhere."""
    try:
        head = trail.head()
        _log.info("audit.head", number=head.number, hash=head.hash)
        if section.heads_file is not None:
            append_head(head, section.heads_file)
    except (ConfigError, SQLAlchemyError) as error:
        _log.error("audit.head_not_exported", error=type(error).__name__)


def _prune(trail: Trail, section: AccessSection) -> None:
    try:
        trail.prune(datetime.now(UTC) - timedelta(days=section.audit_kept), _BY)
    except SQLAlchemyError as error:
        _log.error("audit.not_pruned", error=type(error).__name__)


def _forget(trail: Trail) -> None:
    try:
        Answers(trail.database).forget(datetime.now(UTC))
    except SQLAlchemyError as error:
        _log.error("answers.not_forgotten", error=type(error).__name__)


def _survey(trail: Trail) -> None:
    try:
        survey(trail.database)
    except SQLAlchemyError as error:
        _log.error("database.not_surveyed", error=type(error).__name__)
