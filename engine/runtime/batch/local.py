"""The executor of one machine: worker processes, each with its own models, each with one recording at a time.

Rules:

* a place is for one worker; it is starting, free, busy, or empty until its next start;
* a worker that dies is replaced after a pause that doubles with each death in a row;
* one that is silent for longer than its recording can take, or that grows over the memory limit, is killed, which is the same;
* a place whose worker can't be started is given up: at once if the loader says why, after some tries if it just dies. When all
  are given up the run ends with a ``ModelBroken``; nothing is lost by that, as no work is taken without a worker.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import structlog

from engine.core.errors import ModelBroken
from engine.core.units import Seconds
from engine.runtime.batch.local_process import LocalProcess
from engine.runtime.batch.local_worker import CannotStart
from engine.runtime.batch.work import HearerLoader, Lost, Outcome, Work
from engine.runtime.process import Recipe
from engine.runtime.worker import Ready

_log = structlog.get_logger(__name__)
_TICK = Seconds(0.25)  # how often sizes and silences are looked at
_LONGEST_PAUSE = Seconds(30.0)
_PLAIN = {b"RIFF", b"RIFX", b"FORM", b".snd", b"RF64", b"riff"}  # first bytes of files that hold 8 kB and more for a second


@dataclass(frozen=True, slots=True)
class LocalPolicy:
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

    def patience(self, path: Path) -> Seconds:
        """How long a worker may be silent over this recording."""
        try:
            with path.open("rb") as file:
                plain, size = file.read(4) in _PLAIN, path.stat().st_size
        except OSError:  # the worker will say so
            return self.at_least
        return Seconds(self.at_least + (self.per_plain_megabyte if plain else self.per_packed_megabyte) * size / 1e6)


@dataclass(slots=True, eq=False)
class _Place:
    process: LocalProcess | None = None
    ready: bool = False
    work: Work | None = None
    deadline: float = 0.0
    """While starting or busy; while empty, when to start the next."""

    deaths: int = 0
    """In a row, without an outcome in between."""

    failed_starts: int = 0
    blame: str = ""
    """Why it is being killed."""

    given_up: bool = False

    @property
    def free(self) -> bool:
        return self.ready and self.work is None


class LocalExecutor:
    """Worker processes on this machine. A context, for one thread at a time.

    ``loader`` is pickled and runs in each worker, which is single-threaded, nice, and deaf to Ctrl-C.
    """

    def __init__(self, loader: HearerLoader, workers: int, policy: LocalPolicy = LocalPolicy()) -> None:
        self._loader, self._policy = loader, policy
        self._places = [_Place() for _ in range(workers)]
        self._blame = ""

    def __enter__(self) -> Self:
        self._recipe = Recipe(self._loader)
        self._selector = selectors.DefaultSelector()
        self._start_the_due()
        return self

    def __exit__(self, *_: object) -> None:
        for place in self._places:
            if place.process is not None:
                place.process.close()
                place.process = None
        self._selector.close()
        self._recipe.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The workers' process ids, of now."""
        return tuple(place.process.pid for place in self._places if place.process is not None)

    def outcomes(self, works: Iterator[Work]) -> Iterator[Outcome]:
        """Do all of it; what is done first comes first. Whoever stops reading gives up what is being heard.

        Raises:
            ModelBroken: no worker can be started.
        """
        more = True
        try:
            while more or any(place.work for place in self._places):
                more = more and self._hand_out(works)
                yield from self._news()
                self._kill_the_silent_and_the_swollen()
                self._start_the_due()
        finally:
            self._drop_what_is_unfinished()

    def _hand_out(self, works: Iterator[Work]) -> bool:
        """Give each free worker the next; whether there may be more."""
        if all(place.given_up for place in self._places):
            raise ModelBroken(f"expected workers that can load their models, found {len(self._places)} that can't: {self._blame}")
        for place in self._places:
            if place.free:
                if (work := next(works, None)) is None:
                    return False
                self._give(place, work)
        return True

    def _give(self, place: _Place, work: Work) -> None:
        assert place.process is not None
        place.work, place.deadline = work, time.monotonic() + self._policy.patience(work.path)
        place.process.give(work)

    def _news(self) -> Iterator[Outcome]:
        """What the workers have said or suffered, after waiting a moment for it."""
        for key, _ in self._selector.select(_TICK):
            place: _Place = key.data
            assert place.process is not None
            messages, alive = place.process.messages()
            for message in messages:
                yield from self._said(place, message)
            if not alive:
                yield from self._bury(place)

    def _said(self, place: _Place, message: Any) -> Iterator[Outcome]:
        match message:
            case Ready():
                place.ready, place.failed_starts = True, 0
            case CannotStart(reason):
                place.given_up, self._blame = True, reason
                _log.error("batch.worker_cannot_start", reason=reason)
            case outcome:
                place.work, place.deaths = None, 0
                yield outcome

    def _bury(self, place: _Place) -> Iterator[Outcome]:
        """Count a worker out, and what it had as lost."""
        process, work = place.process, place.work
        assert process is not None
        self._selector.unregister(process)
        how = process.ending()
        how = place.blame or f"its worker {how}"
        if not place.ready:
            self._count_failed_start(place, how)
        place.deaths += 1
        place.process, place.ready, place.work, place.blame = None, False, None, ""
        place.deadline = time.monotonic() + self._policy.pause(place.deaths)
        _log.warning("batch.worker_ended", pid=process.pid, how=how, deaths=place.deaths)
        if work is not None:
            yield Lost(work, how)

    def _count_failed_start(self, place: _Place, how: str) -> None:
        place.failed_starts += 1
        if not place.given_up and place.failed_starts >= self._policy.starts:
            place.given_up, self._blame = True, f"{how}, {place.failed_starts} times in a row"

    def _kill_the_silent_and_the_swollen(self) -> None:
        now, speaks = time.monotonic(), {key.data for key, _ in self._selector.select(0)}
        for place in self._places:
            if place.process is None or place in speaks:
                continue
            if not place.free and now > place.deadline:
                place.blame = "its worker was silent for too long" if place.ready else "it took too long to load its models"
                place.process.kill()
            elif (size := place.process.resident_bytes) > self._policy.most_bytes:
                place.blame = f"its worker grew to {size / 1e9:.1f} GB of memory, over {self._policy.most_bytes / 1e9:.1f} GB"
                place.process.kill()

    def _start_the_due(self) -> None:
        for place in self._places:
            if place.process is None and not place.given_up and time.monotonic() >= place.deadline:
                self._start(place)

    def _start(self, place: _Place) -> None:
        try:
            place.process = LocalProcess(self._recipe)
        except OSError as error:  # no memory, no descriptor: it may be there next time
            self._count_failed_start(place, f"the system refused a process: {error.strerror}")
            place.deaths += 1
            place.deadline = time.monotonic() + self._policy.pause(place.deaths)
            return
        place.deadline = time.monotonic() + self._policy.start_within
        self._selector.register(place.process, selectors.EVENT_READ, place)

    def _drop_what_is_unfinished(self) -> None:
        """So that nothing of it turns up among the outcomes of the next works."""
        for place in self._places:
            if place.work is not None and place.process is not None:
                self._selector.unregister(place.process)
                place.process.close()
                place.process, place.ready, place.work, place.deadline = None, False, None, 0.0
