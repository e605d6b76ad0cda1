"""Which engines live, so that nobody takes a living engine's calls for a dead one's.

Several may share a database. Whether another on the same machine lives, the kernel says at once; of others their sign of life
tells: who has not given one for ``LEASE`` is dead. An engine that was mistaken for dead (it was cut off from the database) still
gives its calls their outcomes when it is back.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.core.call import CallId
from engine.store.entries import CRASHED
from engine.store.models import CallRow, EngineRow

_log = structlog.get_logger(__name__)
LEASE = timedelta(seconds=60)
_EVERY = 10.0  # seconds between two signs of life


class Presence:
    """An engine's sign of life, and its name. It also sweeps after others, now and then."""

    def __init__(self, database: Engine) -> None:
        self._database = database
        self.owner = f"{socket.gethostname()[:32]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live, name="presence", daemon=True)

    def begin(self) -> None:
        """Give the first sign of life.

        Raises:
            SQLAlchemyError: the database can't be written.
        """
        self._renew()
        self._thread.start()

    def end(self) -> None:
        """Say good-bye, if the database hears it."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)
        with suppress(SQLAlchemyError), Session(self._database) as session, session.begin():
            session.execute(delete(EngineRow).where(EngineRow.id == self.owner))

    def _live(self) -> None:
        while not self._ended.wait(_EVERY):
            try:
                self._renew()
                left = sweep(self._database)
            except SQLAlchemyError as error:  # it is away; the journal tells more
                _log.info("engine.unheard", error=type(error).__name__)
            else:
                if left:
                    _log.warning("engine.swept", calls=len(left))

    def _renew(self) -> None:
        row = EngineRow(id=self.owner, place=_place(), process=os.getpid(), began=_began(os.getpid()), seen_at=datetime.now(UTC))
        with Session(self._database) as session, session.begin():
            session.merge(row)


def sweep(database: Engine) -> list[CallId]:
    """Give every call that a dead engine left open the outcome ``crashed``; those calls."""
    with Session(database) as session, session.begin():
        known = {row.id: _lives(row) for row in session.scalars(select(EngineRow))}
        living = [engine for engine, lives in known.items() if lives]
        orphaned = CallRow.outcome.is_(None) & (CallRow.engine.is_(None) | CallRow.engine.not_in(living))
        closing = update(CallRow).where(orphaned).values(outcome=CRASHED, ended_at=datetime.now(UTC)).returning(CallRow.id)
        left = [CallId(call) for call in session.scalars(closing)]
        session.execute(delete(EngineRow).where(EngineRow.id.in_(known.keys() - living)))
    return left


def _lives(row: EngineRow) -> bool:
    if row.place == _place():
        return row.began == _began(row.process)
    seen = row.seen_at if row.seen_at.tzinfo else row.seen_at.replace(tzinfo=UTC)  # SQLite has no zones
    return datetime.now(UTC) - seen < LEASE


def _place() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def _began(process: int) -> int:
    """When a process began, in clock ticks after the boot (proc(5)); 0 where there is none, or only its exit status."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])
