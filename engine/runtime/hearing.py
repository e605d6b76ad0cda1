"""From a caller's sound to the dialogue's events: the ear decides when, the model workers say what.

Rules:

* while nothing is asked, only a turn that is taken back is recognised; everything else is let pass unheard;
* a decode that failed is judged as "no words, can't tell"; if the turn ends on it, the dialogue learns that the recogniser
  failed;
* a turn whose words are unsure gets a second opinion while there is time, and waits for it no longer than that; where the
  better words are complete, the turn ends with them;
* secrets that nobody asked for are masked before the dialogue and the journal know them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.asr.endpointer import Decode, Discard, Endpoint, EndpointAction, SpeechBegan
from engine.core.audio import AudioFrame
from engine.core.errors import ModelError
from engine.core.units import Seconds
from engine.dialogue.events import Event, Heard, HeardNothing, RecogniserFailed, SpeechStarted
from engine.nlu.interpretation import Question
from engine.runtime.ear import Attention, Ear
from engine.runtime.jobs import Recognise, Understood, Urgency
from engine.runtime.unasked import without_secrets

Submit = Callable[[Recognise, Urgency], asyncio.Future[Any]]
"""Queues a job with the workers that know its language; the future gives an ``Understood``."""

Second = Callable[[Understood, Recognise], asyncio.Future[Understood] | None]
"""Gives a second opinion on what the first pass understood, in the end the better of the two; ``None`` where it needs none."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A worker has answered; for the call's inbox."""

    decode: int

    second: bool = False
    """It is the second opinion."""


@dataclass(slots=True)
class _Open:
    """A decode that was asked for and is not settled."""

    job: Recognise
    future: asyncio.Future[Any]
    partial: bool
    first: Understood | None = None
    second: asyncio.Future[Understood] | None = None
    ended: Endpoint | None = field(default=None)
    """Set when the turn has ended and only the answer is waited for."""

    @property
    def pending(self) -> bool:
        """Whether an answer is still to come."""
        return not self.future.done() or (self.second is not None and not self.second.done())


class Hearing:
    """One call's hearing. ``post`` puts a :class:`Decoded` into the call's inbox."""

    def __init__(
        self, ear: Ear, flow: str, submit: Submit, post: Callable[[Decoded], None], second: Second | None = None
    ) -> None:
        self._ear = ear
        self._flow = flow
        self._submit = submit
        self._post = post
        self._second = second
        self._open: dict[int, _Open] = {}
        self._attentive = False
        self._resumed = False
        self._asked = Attention()  # the question of the turn that is open, or was open last

    @property
    def pending(self) -> bool:
        """Whether a worker is busy for this call."""
        return any(one.pending for one in self._open.values())

    @property
    def voice(self) -> bool:
        """Whether there was a voice in the newest frame, listened to or not."""
        return self._ear.voice

    @property
    def question(self) -> Question:
        """What the turn that is open, or was open last, answers."""
        return self._asked.question

    def sound(self, start: Seconds, end: Seconds) -> AudioFrame | None:
        """The caller's sound, as far as it is remembered."""
        return self._ear.sound(start, end)

    def listen(self, attention: Attention) -> None:
        """Open the ear for an answer."""
        self._attentive = True
        self._ear.listen(attention)

    def disregard(self) -> None:
        """Nothing is asked any more; the turn that was decided on may still be taken back."""
        self._attentive = False

    def close(self) -> None:
        """Hear nothing at all."""
        self._attentive = False
        for action in self._ear.close():
            self._discard(action)
        for decode in tuple(self._open):
            self._drop(decode)

    def settle(self) -> None:
        """What was decided can't be taken back any more."""
        self._ear.settle()

    def hear(self, frame: AudioFrame) -> list[Event]:
        """Take the newest 20 ms."""
        return self._after(self._ear.hear(frame), frame.end_s)

    def answered(self, message: Decoded, now: Seconds) -> list[Event]:
        """Take what a worker has said."""
        one = self._open.get(message.decode)
        if one is None:
            return []
        if message.second:
            return self._second_said(message.decode, one, now)
        one.first = _result(one.future)
        if one.partial:
            del self._open[message.decode]
            return self._after(self._ear.judged(message.decode, one.first, now), now)
        if one.ended is None:
            self._ask_second(message.decode, one)
            return self._after(self._ear.judged(message.decode, one.first, now), now)
        return self._concluded(message.decode, one)

    def _second_said(self, decode: int, one: _Open, now: Seconds) -> list[Event]:
        """End the turn that waited for it; or let the better words say how much longer to wait."""
        if one.ended is not None:
            return self._concluded(decode, one)
        better = _result(one.second)
        return [] if better is None else self._after(self._ear.judged(decode, better, now), now)

    def _after(self, actions: tuple[EndpointAction, ...], now: Seconds) -> list[Event]:
        events: list[Event] = []
        for action in actions:
            match action:
                case SpeechBegan(at, resumes):
                    self._resumed = resumes
                    if not resumes:
                        self._asked = self._ear.attention
                    if self._wanted:
                        events.append(SpeechStarted(at))
                case Decode():
                    events += self._decode(action, now)
                case Discard():
                    self._discard(action)
                case Endpoint():
                    events += self._ended(action)
        return events

    @property
    def _wanted(self) -> bool:
        return self._attentive or self._resumed

    def _decode(self, action: Decode, now: Seconds) -> list[Event]:
        if not self._wanted:
            return self._after(self._ear.judged(action.decode, None, now), now)
        sound = self._ear.sound(action.start, action.end)
        if sound is None:
            return self._after(self._ear.judged(action.decode, None, now), now)
        job = Recognise.of(sound, self._asked.hints, self._asked.question, self._flow)
        future = self._submit(job, Urgency.PARTIAL if action.partial else Urgency.TURN)
        self._open[action.decode] = _Open(job, future, action.partial)
        future.add_done_callback(lambda _: self._post(Decoded(action.decode)))
        return []

    def _discard(self, action: EndpointAction) -> None:
        if isinstance(action, Discard):
            self._drop(action.decode)

    def _drop(self, decode: int) -> None:
        one = self._open.pop(decode, None)
        if one is not None:
            one.future.cancel()
            if one.second is not None:
                one.second.cancel()

    def _ask_second(self, decode: int, one: _Open) -> None:
        if self._second is None or one.first is None:
            return
        one.second = self._second(one.first, one.job)
        if one.second is not None:
            one.second.add_done_callback(lambda _: self._post(Decoded(decode, second=True)))

    def _ended(self, action: Endpoint) -> list[Event]:
        one = self._open.get(action.decode)
        if one is None and not self._wanted:
            self._ear.settle()  # nobody listened: what is said next must not be taken for its continuation
            return []
        if one is None:
            return [RecogniserFailed()]
        one.ended = action
        return self._concluded(action.decode, one)

    def _concluded(self, decode: int, one: _Open) -> list[Event]:
        """The turn's event, unless an answer is still to come."""
        if one.pending or one.ended is None:
            return []
        del self._open[decode]
        heard = _result(one.second) or _result(one.future)
        if heard is None:
            return [RecogniserFailed()]
        if not heard.transcript:
            return [HeardNothing()]
        heard = without_secrets(heard, one.job)
        ended = one.ended
        return [Heard(heard.transcript, heard.interpretation, ended.start, ended.speech_end, ended.continues)]


def _result(future: asyncio.Future[Any] | None) -> Understood | None:
    """What a worker said; ``None`` where it failed, was too late or was never asked."""
    if future is None or not future.done() or future.cancelled():
        return None
    error = future.exception()
    if isinstance(error, ModelError | TimeoutError):
        return None
    if error is not None:
        raise error
    understood: Understood = future.result()
    return understood
