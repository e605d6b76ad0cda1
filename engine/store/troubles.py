"""What a database's refusal means for who wanted to write: come back later, leave this one out, or never write again.

Sources: https://sqlite.org/rescode.html, https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

from __future__ import annotations

import sqlite3
from enum import Enum

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoneFree

_FULL = (sqlite3.SQLITE_FULL, 19 << 8 | sqlite3.SQLITE_IOERR)  # no room; nor for the index of the WAL (SQLITE_IOERR_SHMSIZE)
_PASSES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, *_FULL)
_PASSING_CLASSES = ("08", "25", "40", "53", "55", "57")
"""Of SQLSTATE: connection, read-only after a failover, deadlock, no room or no more connections, locked, shut down."""


class Trouble(Enum):
    """What to do about it."""

    AWAY = "away"
    """The database can't be reached, is held by another, or has no room: the same may be written later."""

    REFUSED = "refused"
    """It does not take this row; others it may."""

    BROKEN = "broken"
    """What it has, or had acknowledged, can't be relied on: a failed fsync, a corrupt file."""


def trouble(error: SQLAlchemyError) -> Trouble:
    """What ``error`` means."""
    if isinstance(error, IntegrityError | DataError):
        return Trouble.REFUSED
    if isinstance(error, NoneFree | InterfaceError):
        return Trouble.AWAY
    if isinstance(error, DBAPIError):
        return Trouble.AWAY if error.connection_invalidated or _passes(error) else Trouble.BROKEN
    return Trouble.BROKEN


def _passes(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return code in _PASSES or code & 0xFF in _PASSES
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the server said nothing: the connection is gone, or was never made
        return isinstance(error, OperationalError)
    return str(state)[:2] in _PASSING_CLASSES
