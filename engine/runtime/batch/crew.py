"""The rules of every executor: who works, who is given up, what is lost with whom.

Rules:

* a place is for one worker; it is starting, free, busy, or empty until its next start;
* a worker may be given several short recordings, to be heard together; when it dies, all that it has not answered for is lost;
* a worker that dies is replaced after a pause that doubles with each death in a row;
* one that is silent for longer than its recording can take, or that grows over the memory limit, is killed, which is the same;
* a place whose worker can't be started is given up: at once if the loader says why, after some tries if it just dies. When all
  are given up the run ends with a ``ModelBroken``; nothing is lost by that, as no work is taken without a worker.

Where the workers live is a :class:`Workforce`'s affair: processes of this machine, or actors of a Ray cluster.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol, Self, TypeAlias

import structlog

from engine.core.errors import ModelBroken
from engine.core.units import Seconds
from engine.runtime.batch.work import Lost, Outcome, Work
from engine.runtime.worker import Ready

_log = structlog.get_logger(__name__)
_TICK = Seconds(0.25)  # how often sizes and silences are looked at
_LONGEST_PAUSE = Seconds(30.0)
_PLAIN = {b"RIFF", b"RIFX", b"FORM", b".snd", b"RF64", b"riff"}  # first bytes of files that hold 8 kB and more for a second


@dataclass(frozen=True, slots=True)
class CannotStart:
    """The loader refused, and would again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The worker will not say anything any more."""

    how: str
    """``was ended by SIGKILL`` ..."""


News: TypeAlias = Ready | CannotStart | Gone | Outcome


class Worker(Protocol):
    """One that hears recordings."""

    @property
    def name(self) -> str:
        """For the log."""

    @property
    def placed(self) -> bool:
        """Whether it has begun to load; before, it waits for a machine with room, and nothing is wrong with that."""

    @property
    def resident_bytes(self) -> int:
        """Of memory; 0 where nobody can tell."""

    def give(self, works: Sequence[Work]) -> None:
        """Hand it the next recordings; only while it is free."""

    def kill(self) -> None:
        """End it; its end will be news."""

    def close(self) -> None:
        """End it, and forget it."""


class Workforce(Protocol):
    """Where workers come from. A context."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def hire(self) -> Worker:
        """Start one.

        Raises:
            OSError: there is no room for it.
        """

    def news(self, wait: Seconds) -> Sequence[tuple[Worker, News]]:
        """All that the workers have said by now; waits for the first of it, but not for long."""


@dataclass(frozen=True, slots=True)
class Patience:
    """When a worker is given up. The limits are for what has gone wrong, so they are generous."""

    start_within: Seconds = Seconds(180.0)

    at_least: Seconds = Seconds(120.0)
    """How long a worker may be silent over the shortest recording."""

    per_plain_megabyte: Seconds = Seconds(60.0)
    """And this for each megabyte: 125 s of one channel as G.711, 62 s as PCM."""

    per_packed_megabyte: Seconds = Seconds(600.0)
    """The same of FLAC, MP3, Opus ...: 500 s and more of sound."""

    most_bytes: int = 3 << 30
    """Resident memory of one worker."""

    restart_after: Seconds = Seconds(0.2)
    """Pause before a dead worker is replaced; doubles with each death in a row, up to 30 s."""

    starts: int = 5
    """How often in a row a worker may die before it has loaded."""

    def pause(self, deaths: int) -> Seconds:
        """How long a place stays empty after so many deaths in a row."""
        return Seconds(min(_LONGEST_PAUSE, self.restart_after * 2 ** min(deaths - 1, 16)))

    def silence(self, path: Path) -> Seconds:
        """How long a worker may be silent over this recording."""
        try:
            with path.open("rb") as file:
                plain, size = file.read(4) in _PLAIN, path.stat().st_size
        except OSError:  # the worker will say so
            return self.at_least
        return Seconds(self.at_least + (self.per_plain_megabyte if plain else self.per_packed_megabyte) * size / 1e6)


GENEROUS = Patience()


@dataclass(frozen=True, slots=True)
class Together:
    """How much a worker is given at a time."""

    recordings: int = 16

    size: int = 4_000_000
    """Of their files in bytes; once it is reached no further one is taken. 4 minutes of one channel of 8 kHz in 16 bits."""

    def taken(self, works: Iterator[Work]) -> list[Work]:
        """Take from ``works`` what is to be heard together; nothing where there is no more."""
        taken, left = [], self.size
        for work in islice(works, self.recordings):
            taken.append(work)
            left -= _size(work.path)
            if left <= 0:
                break
        return taken


ALONE = Together(recordings=1)


@dataclass(slots=True, eq=False)
class _Place:
    worker: Worker | None = None
    ready: bool = False
    works: dict[str, Work] = field(default_factory=dict)
    """What it has not answered for, by content."""

    deadline: float = 0.0
    """While starting or busy; while empty, when to start the next."""

    deaths: int = 0
    """In a row, without an outcome in between."""

    failed_starts: int = 0
    given_up: bool = False
    blame: str = ""
    """Why it is being killed."""

    @property
    def free(self) -> bool:
        return self.ready and not self.works

    def empty(self, until: float) -> None:
        """Until its next start; what is counted stays."""
        self.worker, self.ready, self.works, self.blame, self.deadline = None, False, {}, "", until


class Crew:
    """Workers in their places: an executor. A context, for one thread at a time."""

    def __init__(self, workforce: Workforce, places: int, patience: Patience = GENEROUS, together: Together = ALONE) -> None:
        self._workforce, self._patience, self._together = workforce, patience, together
        self._places = [_Place() for _ in range(places)]
        self._blame = ""

    def __enter__(self) -> Self:
        self._workforce.__enter__()
        self._start_the_due()
        return self

    def __exit__(self, *how: object) -> None:
        for place in self._places:
            if place.worker is not None:
                place.worker.close()
                place.empty(until=0.0)
        self._workforce.__exit__(*how)

    def outcomes(self, works: Iterator[Work]) -> Iterator[Outcome]:
        """Do all of it; what is done first comes first. Whoever stops reading gives up what is being heard.

        Raises:
            ModelBroken: no worker can be started.
        """
        more = True
        try:
            while more or any(place.works for place in self._places):
                more = more and self._hand_out(works)
                yield from self._what_came_of_it()
                self._start_the_due()
        finally:
            self._drop_what_is_unfinished()

    def _hand_out(self, works: Iterator[Work]) -> bool:
        """Give each free worker the next; whether there may be more."""
        if all(place.given_up for place in self._places):
            raise ModelBroken(f"expected workers that can load their models, found {len(self._places)} that can't: {self._blame}")
        for place in self._places:
            if place.free:
                if not (taken := self._together.taken(works)):
                    return False
                self._give(place, taken)
        return True

    def _give(self, place: _Place, works: Sequence[Work]) -> None:
        assert place.worker is not None
        place.works = {work.content: work for work in works}
        place.deadline = time.monotonic() + sum(self._patience.silence(work.path) for work in works)
        place.worker.give(works)

    def _what_came_of_it(self) -> list[Outcome]:
        """Hear all news before anybody is judged by their silence."""
        places = {id(place.worker): place for place in self._places if place.worker is not None}
        said = [(places[id(worker)], news) for worker, news in self._workforce.news(_TICK)]
        outcomes = [outcome for place, news in said for outcome in self._taken(place, news)]
        for place in self._places:
            if place.worker is not None and not place.blame:
                self._kill_the_silent_or_swollen(place, place.worker)
        return outcomes

    def _taken(self, place: _Place, news: News) -> Sequence[Outcome]:
        match news:
            case Ready():
                place.ready, place.failed_starts = True, 0
            case CannotStart(reason):
                place.given_up, self._blame = True, reason
                _log.error("batch.worker_cannot_start", reason=reason)
            case Gone(how):
                return self._bury(place, place.blame or f"its worker {how}")
            case outcome:
                del place.works[outcome.work.content]
                place.deaths = 0
                return [outcome]
        return []

    def _bury(self, place: _Place, how: str) -> list[Lost]:
        """Count a worker out, and what it had as lost."""
        worker, works = place.worker, list(place.works.values())
        assert worker is not None
        worker.close()
        if not place.ready:
            self._count_failed_start(place, how)
        place.deaths += 1
        place.empty(until=time.monotonic() + self._patience.pause(place.deaths))
        _log.warning("batch.worker_ended", worker=worker.name, how=how, deaths=place.deaths)
        return [Lost(work, how, among=len(works)) for work in works]

    def _count_failed_start(self, place: _Place, how: str) -> None:
        place.failed_starts += 1
        if not place.given_up and place.failed_starts >= self._patience.starts:
            place.given_up, self._blame = True, f"{how}, {place.failed_starts} times in a row"

    def _kill_the_silent_or_swollen(self, place: _Place, worker: Worker) -> None:
        if not worker.placed:
            place.deadline = time.monotonic() + self._patience.start_within
        elif not place.free and time.monotonic() > place.deadline:
            place.blame = "its worker was silent for too long" if place.ready else "it took too long to load its models"
        elif (size := worker.resident_bytes) > self._patience.most_bytes:
            place.blame = f"its worker grew to {size / 1e9:.1f} GB of memory, over {self._patience.most_bytes / 1e9:.1f} GB"
        if place.blame:
            worker.kill()

    def _start_the_due(self) -> None:
        for place in self._places:
            if place.worker is None and not place.given_up and time.monotonic() >= place.deadline:
                self._start(place)

    def _start(self, place: _Place) -> None:
        try:
            place.worker = self._workforce.hire()
        except OSError as error:  # no memory, no descriptor: it may be there next time
            self._count_failed_start(place, f"the system refused a process: {error.strerror}")
            place.deaths += 1
            place.deadline = time.monotonic() + self._patience.pause(place.deaths)
            return
        place.deadline = time.monotonic() + self._patience.start_within

    def _drop_what_is_unfinished(self) -> None:
        """So that nothing of it turns up among the outcomes of the next works."""
        for place in self._places:
            if place.works and place.worker is not None:
                place.worker.close()
                place.empty(until=0.0)


def _size(path: Path) -> int:
    """In bytes; 0 where it can't be told: the worker will say so."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
