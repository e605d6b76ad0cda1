"""How a process hears that another one has changed the board: PostgreSQL says so, an SQLite file is asked again and again.

To ask is cheap: ``PRAGMA data_version`` costs microseconds and no lock, and only where another connection has written anything at
all is the board's own version looked up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from engine.core.units import Seconds
from engine.store.board import CHANNEL

_log = structlog.get_logger(__name__)
_OFTEN: Final = Seconds(0.02)
_SELDOM: Final = Seconds(0.5)
_LISTEN_FOR: Final = Seconds(0.2)  # until it is looked whether to go on at all
_RETRY: Final = Seconds(0.5)


class Notices:
    """A thread that calls ``changed`` whenever the board may have changed. Close it."""

    def __init__(self, engine: Engine, changed: Callable[[], object], wanted: Callable[[], bool]) -> None:
        """``wanted``: whether this process waits for anything on the board; if not, an SQLite file is asked seldom."""
        self._engine, self._changed, self._wanted = engine, changed, wanted
        self._closing = threading.Event()
        follow = self._ask if engine.dialect.name == "sqlite" else self._listen
        self._thread = threading.Thread(target=self._follow, args=(follow,), name="board notices", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hear no more."""
        self._closing.set()
        self._thread.join()

    def _follow(self, follow: Callable[[Connection], None]) -> None:
        """Again after every loss of the connection; what was missed meanwhile is looked up at once."""
        while not self._closing.is_set():
            try:
                with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.detach()  # nobody else shall hear what it hears
                    follow(connection)
            except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
                _log.warning("board.deaf", error=type(error).__name__)
                self._closing.wait(_RETRY)

    def _ask(self, connection: Connection) -> None:
        cursor: Any = connection.connection.cursor()
        written, version = None, None
        while not self._closing.wait(_OFTEN if self._wanted() else _SELDOM):
            before, written = written, cursor.execute("PRAGMA data_version").fetchone()
            if written == before:
                continue
            last, version = version, cursor.execute("SELECT version FROM board_version").fetchone()
            if version != last:
                self._changed()

    def _listen(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"LISTEN {CHANNEL}")
        self._changed()  # for what was said before we listened
        raw: Any = connection.connection.dbapi_connection
        while not self._closing.is_set():
            if list(raw.notifies(timeout=_LISTEN_FOR, stop_after=1)):
                self._changed()
