"""The journal's own connection to its database: it gives up in seconds, so that who waits can write elsewhere.

A server that stands still (stopped, its machine gone) answers nothing, and no error comes either: a watch shuts the connection
down when an answer is overdue. What was being committed then may be committed or not.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Engine

from engine.store.entries import Entry

_OVERDUE = 3.0  # seconds
_BUSY_MS = 1_000  # how long it waits for another's write in SQLite
_LOOK_EVERY = 0.5  # seconds


class Line:
    """Opens at the first write, and again after it was lost. All but :meth:`stop` belongs to one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._sqlite = engine.dialect.name == "sqlite"
        self._watching = threading.Lock()
        self._descriptor: int | None = None
        self._due = 0.0
        self._stopped = threading.Event()
        if not self._sqlite:  # which waits in this process, and says when it does so for too long
            threading.Thread(target=self._watch, name="journal-watch", daemon=True).start()

    def write(self, entries: Sequence[Entry], *, again: bool) -> None:
        """Commit them all, or none; ``again``: they may be there already.

        Raises:
            SQLAlchemyError: see :mod:`engine.store.troubles`.
        """
        connection = self._connection = self._connection or self._opened()
        with self._watched(connection), connection.begin():
            for entry in entries:  # in the order they came: a call before its steps
                entry.write(connection, again=again)

    def drop(self) -> None:
        """Forget the connection; others of before are likely as dead."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
        if not self._sqlite:
            self._engine.dispose()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _opened(self) -> Connection:
        connection = self._engine.connect()
        if self._sqlite:
            with connection.begin():
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_MS}")
        return connection

    @contextlib.contextmanager
    def _watched(self, connection: Connection) -> Iterator[None]:
        if self._sqlite:
            yield
            return
        descriptor = connection.connection.dbapi_connection.fileno()  # type: ignore[union-attr]
        with self._watching:
            self._descriptor, self._due = descriptor, time.monotonic() + _OVERDUE
        try:
            yield
        finally:
            with self._watching:
                self._descriptor = None

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK_EVERY):
            with self._watching:
                if self._descriptor is not None and time.monotonic() > self._due:
                    _shut(self._descriptor)
                    self._descriptor = None


def _shut(descriptor: int) -> None:
    with socket.socket(fileno=os.dup(descriptor)) as one, contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
