"""One run: looks at the sources, claims what waits, has it heard, scored and settled in the ledger.

Rules:

* a recording is claimed only when a worker is free for it; what a killed run had in hand is what its workers had, and no more;
* suspects come last, each alone: nothing else is being heard meanwhile;
* a run that is asked to stop finishes what is being heard; one that ends otherwise gives back what it has. Nothing is kept in
  memory that the next run would miss;
* what can't be read is told to whoever watches, and costs the others nothing;
* a run stops by itself where the machine is to blame, not the recordings: no room on the disk, or one after the other lost.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from engine.core.errors import MediaError
from engine.qa.ledger import RENEW, State, due
from engine.runtime.batch.keeping import sweep
from engine.runtime.batch.looking import Looking
from engine.runtime.batch.order import Order, Watcher
from engine.runtime.batch.places import fetched, name_of, path_of
from engine.runtime.batch.presence import Presence
from engine.runtime.batch.receiving import sweep_received
from engine.runtime.batch.settling import Settling
from engine.runtime.batch.sources import Source
from engine.runtime.batch.work import Executor, Lost, Work
from engine.store.holdings import holdings
from engine.store.ledger import Claimed, Ledger
from engine.store.quality_reading import snapshot
from engine.store.sightings import Sightings

_log = structlog.get_logger(__name__)
_PAGE = 500  # recordings a transaction
_LEAST_FREE = 1 << 30  # bytes; the masked sound of the longest call is half of it
_MOST_LOST = 20  # in a row, each another one


@dataclass(frozen=True, slots=True)
class Desk:
    """What a run works with."""

    engine: Engine

    sources: Sequence[Source]

    executor: Executor
    """Entered already."""

    watcher: Watcher

    clock: Callable[[], float] = time.time
    """Seconds since 1970."""

    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.fromtimestamp(self.clock(), UTC)


class Run:
    """One run. :meth:`stop` may be called from anywhere, the rest from one thread."""

    def __init__(self, desk: Desk, order: Order) -> None:
        self._desk, self._order = desk, order
        self._ledger = Ledger(desk.engine)
        self._looking = Looking(desk.sources, Sightings(desk.engine), desk.watcher)
        self._settling = Settling(self._ledger, order, desk.watcher, desk.now)
        self._presence = Presence(order.folder)
        self._stop = threading.Event()
        self._in_hand: dict[str, tuple[Claimed, Path | None]] = {}  # with the copy that was fetched for it
        self._lost = 0.0  # workers in a row; one that had several in hand counts once

    def stop(self) -> None:
        """Ask it to end once what is being heard is done."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    def work_off(self) -> None:
        """Do everything that there is to do; with ``watch``, until it is told to stop.

        Raises:
            ModelError: no worker can do its work.
        """
        with self._presence, renewing(self._ledger, self._presence.owner, self._desk.now):
            try:
                self._take_over()
                self._outdate()
                self._do_all()
                while not self.stopped and (self._take_over() or self._waited()):
                    self._do_all()
            finally:
                self._ledger.release(self._presence.owner, self._desk.now())

    def _waited(self) -> bool:
        """Wait until it is time for another look; not where none is wanted."""
        if self._order.watch or self._looking.restless:
            self._stop.wait(self._order.every)
            self._take_over()
            return True
        return False

    def _take_over(self) -> int:
        """Take back what dead runs had; gives how much."""
        dead = self._presence.dead(self._ledger.owners() - {self._presence.owner})
        lost = self._ledger.expire(self._desk.now(), dead)
        self._presence.sweep()
        sweep(self._order.folder, self._desk.clock())
        sweep_received(self._order.folder, self._desk.clock())
        return lost

    def _outdate(self) -> None:
        """Let what a new card has something to say about wait again."""
        with snapshot(self._desk.engine) as connection:
            known = holdings(connection, [State.SCORED, State.EXCLUDED])
            outdated = [content for content, it in known if due(it, self._order.wanted)]
        for first in range(0, len(outdated), _PAGE):
            self._ledger.outdate(outdated[first : first + _PAGE], self._desk.now())

    def _do_all(self) -> None:
        """Do what there is to do now."""
        news = self._looking.news(self._desk.clock())
        waiting, size = self._ledger.left()
        self._desk.watcher.found(waiting + len(news), size + sum(it.place.size for it in news))
        self._have_done(self._works(self._looking.read(news, self._desk.now)))
        while not self.stopped and (suspect := self._ledger.claim(self._presence.owner, self._desk.now(), suspect=True)):
            if work := self._begun(suspect):
                self._have_done(iter((work,)))
        self._desk.watcher.found(*self._ledger.left())  # some that were listed were known, by their bytes

    def _works(self, reading: Iterator[None]) -> Iterator[Work]:
        """Hand out what waits, and read further whenever nothing does."""
        exhausted = object()
        while self._may_go_on():
            claimed = self._ledger.claim(self._presence.owner, self._desk.now())
            if claimed is not None:
                if work := self._begun(claimed):
                    yield work
            elif next(reading, exhausted) is exhausted:
                return

    def _may_go_on(self) -> bool:
        free = shutil.disk_usage(self._order.folder).free
        if free < _LEAST_FREE:
            self._give_up(f"expected {_LEAST_FREE >> 20} MB free at least, found {free >> 20} MB")
        elif round(self._lost) >= _MOST_LOST:
            self._give_up(
                f"{_MOST_LOST} times in a row recordings were lost with their worker, so it is this machine; see the log"
            )
        return not self.stopped

    def _give_up(self, reason: str) -> None:
        self._desk.watcher.unread(str(self._order.folder), reason)
        self.stop()

    def _begun(self, claimed: Claimed) -> Work | None:
        """What is to be heard of it; nothing where it needs no hearing or can't have any: then it is settled by now."""
        if self._settling.again(claimed):
            return None
        try:
            path, copy = self._local(claimed)
        except MediaError as error:
            self._settling.unavailable(claimed, str(error))
            return None
        self._in_hand[claimed.content] = claimed, copy
        language = self._order.language_of(claimed)
        return Work(claimed.content, path, self._order.folder, self._order.tier, language, claimed.facts)

    def _local(self, claimed: Claimed) -> tuple[Path, Path | None]:
        """A file to read, and the same once more if it is a copy that is to be deleted."""
        problem = "expected its file, found it gone or another in its place"
        for address in claimed.addresses:
            path = path_of(address)
            if path is not None and path.is_file():
                return path, None
            if path is None:
                try:
                    copy = fetched(address, self._presence.folder)
                except MediaError as error:
                    problem = str(error).removeprefix(f"{name_of(address)}: ")
                else:
                    return copy, copy
        raise MediaError(problem)

    def _have_done(self, works: Iterator[Work]) -> None:
        for outcome in self._desk.executor.outcomes(works):
            claimed, copy = self._in_hand.pop(outcome.work.content)
            if copy is not None:
                copy.unlink()
            self._lost = self._lost + 1 / outcome.among if isinstance(outcome, Lost) and not claimed.entry.suspect else 0.0
            self._settling.outcome(claimed, outcome)


@contextmanager
def renewing(ledger: Ledger, owner: str, now: Callable[[], datetime]) -> Iterator[None]:
    """Renew the owner's leases from a thread, for as long as this lasts."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(RENEW.total_seconds()):
            try:
                ledger.renew(owner, now())
            except SQLAlchemyError as error:  # a busy or restarting database; there is time for more tries
                _log.warning("qa.lease_not_renewed", error=type(error).__name__)

    thread = threading.Thread(target=renew, name="leases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
