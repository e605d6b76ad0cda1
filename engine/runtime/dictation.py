"""Dictation: one channel's sound in, partial and final transcripts out. Nobody talks back, no flow is needed.

Rules:

* transcripts lie on the channel's own timeline; phrases are told in their order, each once, as ``Final`` or as ``Lost``;
* late is better than lost: a phrase that the workers had no time for as a live turn is queued again as batch work. Who sends
  faster than real time waits for :meth:`Dictation.settled` now and then, or the queue only grows;
* partial results are made in the workers' idle time, so there may be none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from engine.asr.phrasing import Cue, Drop, Ended, Phrasing, Try
from engine.asr.protocol import Hints
from engine.core.audio import AudioFrame
from engine.core.errors import ModelError, ModelOverloaded
from engine.core.speech import Transcript
from engine.core.units import Seconds
from engine.runtime.jobs import Transcribe, Urgency

Ask: TypeAlias = Callable[[Transcribe, Urgency], "asyncio.Future[Transcript]"]
"""Queues a job with the workers that know its language; the future raises ``ModelError``."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What was understood so far of the phrase that is open; never empty."""

    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Final:
    """A phrase; without words where the sound had none."""

    transcript: Transcript
    start: Seconds
    end: Seconds


@dataclass(frozen=True, slots=True)
class Lost:
    """A phrase that no worker could hear."""

    code: str
    """Of the model's error."""

    start: Seconds
    end: Seconds


Dictated: TypeAlias = Partial | Final | Lost


@dataclass(slots=True, eq=False)
class _Open:
    """A try that was asked for."""

    task: asyncio.Task[Transcript | ModelError]
    sound_from: Seconds
    partial: bool
    ended: Ended | None = None


class Dictation:
    """One channel's. ``heard`` is called in the event loop, also from within :meth:`hear`."""

    def __init__(
        self,
        phrasing: Phrasing,
        hints: Hints,
        ask: Ask,
        heard: Callable[[Dictated], None],
        urgency: Urgency = Urgency.TURN,
    ) -> None:
        self._phrasing = phrasing
        self._hints = hints
        self._ask = ask
        self._heard = heard
        self.urgency = urgency
        """Of the phrases to come."""
        self._tries: dict[int, _Open] = {}
        self._waiting: deque[int] = deque()  # phrases that have ended, by their tries
        self._bug: BaseException | None = None

    @property
    def now(self) -> Seconds:
        """How much was heard, in seconds from the channel's start."""
        return self._phrasing.now

    @property
    def speaking(self) -> bool:
        """Whether a phrase is open."""
        return self._phrasing.speaking

    @property
    def pending(self) -> int:
        """How many phrases have ended and are not told yet."""
        return len(self._waiting)

    def hear(self, frame: AudioFrame) -> None:
        """Take the next sound, of any length. With the voice detector, 7 ms of work for a second at 8 kHz, 14 at 16 kHz."""
        self._follow(self._phrasing.hear(frame))

    def finish(self) -> None:
        """End the phrase that is open; :meth:`settled` then waits for it. More sound may follow, as a new phrase."""
        self._follow(self._phrasing.finish())

    def skip(self, until: Seconds) -> None:
        """End the phrase that is open, and go on at ``until``: nothing was heard in between, as in a pause.

        Raises:
            MediaError: ``until`` lies in the past.
        """
        self._follow(self._phrasing.skip(until))

    async def settled(self) -> None:
        """Wait until every phrase that has ended is told. Safe to cancel."""
        while self._waiting:
            await asyncio.wait([self._tries[number].task for number in self._waiting])
            self._tell()

    def close(self) -> None:
        """Tell nothing more, and take back what the workers have not begun."""
        self._waiting.clear()
        for number in tuple(self._tries):
            self._drop(number)

    def _follow(self, cues: tuple[Cue, ...]) -> None:
        for cue in cues:
            match cue:
                case Try(number):
                    self._try(cue)
                case Drop(number):
                    self._drop(number)
                case Ended(number):
                    self._tries[number].ended = cue
                    self._waiting.append(number)
        self._tell()

    def _try(self, cue: Try) -> None:
        job = Transcribe.of(cue.sound, self._hints)
        task = asyncio.ensure_future(self._asked(job, Urgency.PARTIAL if cue.partial else self.urgency))
        self._tries[cue.number] = _Open(task, cue.sound.start_s, cue.partial)
        task.add_done_callback(lambda _: self._answered(cue.number))

    async def _asked(self, job: Transcribe, urgency: Urgency) -> Transcript | ModelError:
        try:
            return await self._ask(job, urgency)
        except ModelOverloaded as error:
            return error if urgency in (Urgency.PARTIAL, Urgency.BATCH) else await self._asked(job, Urgency.BATCH)
        except ModelError as error:
            return error

    def _drop(self, number: int) -> None:
        one = self._tries.pop(number, None)
        if one is not None:
            one.task.cancel()

    def _answered(self, number: int) -> None:
        one = self._tries.get(number)
        if one is None or self._bug is not None:
            return
        if one.task.cancelled() or one.task.exception() is not None:
            self._bug = None if one.task.cancelled() else one.task.exception()
            return
        if one.partial:
            del self._tries[number]
            self._phrasing.answered(number)
        if one.ended is None:
            self._tell_partial(one)
        self._tell()

    def _tell_partial(self, one: _Open) -> None:
        """Say what a try has found before its phrase ended; failures matter at the end only."""
        found = one.task.result()
        if isinstance(found, Transcript) and found and not self._waiting:
            self._heard(Partial(replace(found.later(one.sound_from), final=False)))

    def _tell(self) -> None:
        """Tell the phrases that are next in order; what is no failure of a model is a bug, and whoever brings sound learns it."""
        if self._bug is not None:
            raise self._bug
        while self._waiting and self._tries[self._waiting[0]].task.done():
            one = self._tries.pop(self._waiting.popleft())
            ended, found = one.ended, one.task.result()
            assert ended is not None  # it waits because it has ended
            if isinstance(found, Transcript):
                self._heard(Final(found.later(one.sound_from), ended.start, ended.end))
            else:
                self._heard(Lost(found.code, ended.start, ended.end))
