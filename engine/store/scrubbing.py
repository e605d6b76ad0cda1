"""Sees to it that deleted rows have left no bytes behind, as far as a database lets us.

SQLite overwrites what is deleted (``secure_delete``, on in every connection of ours); its full-text index forgets a word only
when it is merged whole, and the write-ahead log only when it is emptied. PostgreSQL only marks rows as gone: ``VACUUM`` lets
their room be used again, ``VACUUM FULL`` writes a table anew without them, while nobody else can use it. What remains of them in
its write-ahead log goes with its segments, and is beyond an SQL connection.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from engine.store.found_words import scrub_words

_TRIES: Final = 50
_BETWEEN: Final = 0.1  # seconds


def scrub(database: Engine, *, whole: bool) -> Sequence[str]:
    """Do so; ``whole`` writes all anew that may hold anything, and others wait for it. Gives what could not be done.

    Without it SQLite's log is emptied only if nobody reads at the moment, and PostgreSQL is left to its own vacuuming.
    """
    with database.begin() as connection:
        scrub_words(connection)
    if database.dialect.name == "sqlite":
        return _sqlite(database, whole=whole)
    if whole:
        with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (FULL, ANALYZE)"))  # all that we may: its statistics hold frequent values
    return ()


def beyond(database: Engine) -> Sequence[str]:
    """What of a database is out of our reach; for people."""
    if database.dialect.name == "sqlite":
        return ()
    return ("PostgreSQL's write-ahead log, its replicas and its archives hold what was deleted until their segments are gone",)


def _sqlite(database: Engine, *, whole: bool) -> Sequence[str]:
    if whole:
        try:
            with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM"))
        except OperationalError as error:
            return (f"the database could not be written anew: {error.orig}; run it again",)
    for left in range(_TRIES if whole else 1, 0, -1):
        with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
        if not busy or not whole:
            return ()
        if left > 1:
            time.sleep(_BETWEEN)
    return ("somebody reads the database: its write-ahead log could not be emptied; run it again",)
