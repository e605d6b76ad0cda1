"""Brings entries into the database in the order they came, through whatever happens to it.

Rules:

* an entry is acknowledged once it can't be lost: it is committed, or lies in the file beside (:mod:`engine.store.aside`);
* while the database is away everything goes into that file; when it is back, first what is in it is written, oldest first;
* where there is no room for the file either, entries wait in memory, unacknowledged, up to ``MOST_HELD``;
* a row that the database refuses costs that row, no other;
* after a failed fsync, or with a corrupt file, nothing more is written: it must not be tried again (PostgreSQL's "fsyncgate").
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from enum import Enum
from itertools import islice
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.core.errors import EngineError
from engine.store.aside import Aside, no_room
from engine.store.entries import Entry
from engine.store.troubles import Trouble, trouble

_log = structlog.get_logger(__name__)
MOST_HELD = 20_000  # entries, about 20 MB; the calls in progress make some 5 a second each
_AT_ONCE = 500  # entries in one transaction
_SLICE = 0.5  # seconds of bringing back, before what came meanwhile is put aside
_FIRST_TRY, _LAST_TRY = 0.25, 4.0  # seconds between two tries to reach the database

Waiting = tuple[Entry, "Future[None]"]


class JournalBroken(EngineError):
    """The journal could not be written; what was appended since is not kept."""

    code = "journal"


class Standing(Enum):
    """How it is with the journal."""

    WELL = "well"

    ASIDE = "aside"
    """The database is away; what happens is in the file beside, durably."""

    FULL = "full"
    """There is no room anywhere: what happens is in memory alone. It recovers by itself."""

    BROKEN = "broken"
    """Nothing is written any more until the operator has looked."""


class Writes(Protocol):
    """:class:`engine.store.line.Line` is one."""

    def write(self, entries: Sequence[Entry], *, again: bool) -> None:
        """Commit them all, or none."""

    def drop(self) -> None:
        """Forget a connection that is lost."""


class Keeper:
    """Not for two threads, but for :attr:`standing`."""

    def __init__(self, line: Writes, aside: Aside | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Without ``aside`` entries wait in memory while the database is away."""
        self._line = line
        self._aside = aside
        self._clock = clock
        self._held: deque[Waiting] = deque()
        self._away = False
        self._next_try = 0.0
        self._pause = _FIRST_TRY
        self._failure: JournalBroken | None = None
        self.standing = Standing.WELL
        if aside is not None:
            self._beside(aside.adopt)
            self._away = not aside.empty
            self.standing = self._stands()

    @property
    def patience(self) -> float | None:
        """Seconds until it wants to be called again even where nothing new has come; ``None``: any time."""
        if self._failure is not None or not (self._away or self._held):
            return None
        return max(0.0, self._next_try - self._clock())

    def keep(self, fresh: Iterable[Waiting]) -> None:
        """Keep these after all before."""
        self._held.extend(fresh)
        if self._failure is None and (not self._away or self._clock() >= self._next_try):
            self._try()
        if self._failure is None and self._away and self._held and self._aside is not None:
            self._beside(self._put_aside)
        self._refuse_too_many()
        self._stand()

    def leave(self) -> None:
        """Try once more; what can't be kept is told. What lies aside is for the next engine."""
        self._next_try = 0.0
        self.keep(())
        self._refuse_all(self._failure or JournalBroken("expected room for the journal before the engine ended, found none"))
        if self._aside is not None:
            self._aside.close()

    def _try(self) -> None:
        """Bring into the database what can be brought in a while."""
        until = self._clock() + _SLICE
        again = self._away
        try:
            back = self._bring_back(until)
            while back and self._held:
                self._commit(list(islice(self._held, _AT_ONCE)), again=again)
        except SQLAlchemyError as error:
            self._judge(error)
        else:
            self._pause = _FIRST_TRY
            self._away = not back

    def _bring_back(self, until: float) -> bool:
        """Write what lies aside; whether nothing does any more."""
        while self._aside is not None and (oldest := self._aside.first(_AT_ONCE)):
            self._write(oldest, again=True)
            self._beside(self._aside.done)
            if self._clock() > until:
                break
        return self._aside is None or self._aside.empty

    def _commit(self, waiting: Sequence[Waiting], *, again: bool) -> None:
        refused = set(map(id, self._write([entry for entry, _ in waiting], again=again)))
        for entry, acknowledged in waiting:
            self._held.popleft()
            if id(entry) in refused:
                acknowledged.set_exception(
                    JournalBroken(f"expected a row that the database takes, found a {entry.kind.value} of {entry.call}")
                )
            else:
                acknowledged.set_result(None)

    def _write(self, entries: Sequence[Entry], *, again: bool) -> Sequence[Entry]:
        """Write what the database takes; what it does not."""
        try:
            self._line.write(entries, again=again)
        except SQLAlchemyError as error:
            if trouble(error) is not Trouble.REFUSED:
                raise
            if len(entries) > 1:
                return [refused for entry in entries for refused in self._write([entry], again=again)]
            _log.error("journal.refused", call=entries[0].call, kind=entries[0].kind.value, error=type(error).__name__)
            return entries
        return ()

    def _judge(self, error: SQLAlchemyError) -> None:
        self._line.drop()
        if trouble(error) is Trouble.BROKEN:
            self._break(type(error).__name__)
            return
        if not self._away:
            _log.warning("journal.away", error=type(error).__name__)
        self._away = True
        self._next_try = self._clock() + self._pause
        self._pause = min(2 * self._pause, _LAST_TRY)

    def _put_aside(self) -> None:
        assert self._aside is not None
        self._aside.append([entry for entry, _ in self._held])
        while self._held:
            self._held.popleft()[1].set_result(None)

    def _beside(self, work: Callable[[], None]) -> None:
        """Do something with the file beside; for want of room it is left undone."""
        try:
            work()
        except OSError as error:
            if not no_room(error):
                self._break(f"{type(error).__name__} {error.errno}")

    def _break(self, found: str) -> None:
        self._failure = JournalBroken(f"expected the journal to be written, found {found}")
        _log.error("journal.broken", error=found)

    def _refuse_too_many(self) -> None:
        if self._failure is not None:
            self._refuse_all(self._failure)
        while len(self._held) > MOST_HELD:  # the newest: order is kept up to where it ends
            self._held.pop()[1].set_exception(JournalBroken(f"expected room for the journal, found {MOST_HELD} entries waiting"))

    def _refuse_all(self, error: JournalBroken) -> None:
        while self._held:
            self._held.popleft()[1].set_exception(error)

    def _stand(self) -> None:
        before, self.standing = self.standing, self._stands()
        if before is not self.standing:
            _log.warning("journal.standing", before=before.value, now=self.standing.value)

    def _stands(self) -> Standing:
        if self._failure is not None:
            return Standing.BROKEN
        if self._held:
            return Standing.FULL
        return Standing.ASIDE if self._away else Standing.WELL
