"""When has the caller finished? A pure machine: voice activity and judgements go in, decodes and endpoints come out.

Rules:

1. The driver feeds one ``Activity`` for every 20 ms frame, so frames are the only clock; and one ``Judged`` for every ``Decode``
   it did not see discarded, also when the recogniser failed (``UNKNOWN``, no words), for rule 5 waits for it.
2. A voice is sure once its frames outweigh the silent ones by ``min_speech``; only then comes ``SpeechBegan``. Clicks neither
   begin a turn, nor take one back, nor lengthen a wait.
3. ``Decode`` asks for everything from a little before the turn's voice to now: speculatively at the first short silence. If
   the caller goes on, ``Discard`` takes it back; if not, the same result is used: the decision is ready when the wait ends.
4. At most one decode is open. While the caller speaks, a partial one is asked for now and then, never before the last one was
   judged; it is discarded when the real one starts.
5. ``Endpoint`` ends the turn: early when what was heard is complete, later when it is not, in between by how finished its words
   sound; never before it was judged. Only the hard cap doesn't wait for the judgement, nor for silence: the driver then waits
   for the decode that it names.
6. A voice that comes back within ``take_back`` of an endpoint resumes that turn: its decodes start where that one started.
   After the cap, or once the driver has called :meth:`Endpointer.settle`, there is no way back.
7. Whoever still talks at the cap is heard again once there was a short silence; else no prompt could be played to a noisy line.
8. Lengths of silence count from the end of the voice, which the detector notices ``lag`` late; the machine corrects for it.

=========  ======================================  ========================================  ==================================
state      voice                                   silence                                   judged
=========  ======================================  ========================================  ==================================
CLOSED     --                                      --                                        --
QUIET      sure: SpeechBegan, SPEAKING             --                                        --
SPEAKING   cap: Decode, Endpoint, OVERRUN;         long enough: Decode, PAUSED;              the partial one: another may come
           partial due: Decode                     cap: Decode, Endpoint, OVERRUN
PAUSED     sure: Discard, SPEAKING;                wait over: Endpoint, QUIET;               wait over: Endpoint, QUIET
           cap: Endpoint, OVERRUN                  cap: Endpoint, OVERRUN
OVERRUN    --                                      long enough: QUIET                        --
=========  ======================================  ========================================  ==================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto
from typing import TypeAlias

from engine.asr.endpoint_policy import EndpointPolicy
from engine.core.audio import FRAME
from engine.core.units import Confidence, Seconds
from engine.nlu.interpretation import Completeness


@dataclass(frozen=True, slots=True)
class Activity:
    """The voice detector's verdict on the 20 ms that end now."""

    speech: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A decode has come back."""

    decode: int

    completeness: Completeness

    words: bool = True
    """Whether it heard any words at all."""

    finished: Confidence | None = None
    """Probability that the words are all; the likelier, the shorter the wait. ``None``: only ``completeness`` counts."""


EndpointEvent: TypeAlias = Activity | Judged


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """A voice, for sure."""

    at: Seconds
    """When it began."""

    resumes: bool = False
    """It goes on with the turn that has just been ended."""


@dataclass(frozen=True, slots=True)
class Decode:
    """Recognise the sound from ``start`` to ``end``; the answer comes back as ``Judged``."""

    decode: int
    start: Seconds
    end: Seconds

    partial: bool = False
    """Made while the caller still speaks: the first to be dropped under load."""


@dataclass(frozen=True, slots=True)
class Discard:
    """The caller went on talking, or the ear was closed; this decode is of no use any more."""

    decode: int


class EndReason(StrEnum):
    """Why the turn was ended."""

    COMPLETE = "complete"
    UNKNOWN = "unknown"
    INCOMPLETE = "incomplete"
    CAP = "cap"
    NO_WORDS = "no_words"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The turn is over; what ``decode`` heard is the answer."""

    decode: int
    """Judged already, unless ``reason`` is ``CAP``."""

    start: Seconds
    """When the voice began."""

    speech_end: Seconds
    """When the voice ended, not when it was noticed."""

    reason: EndReason

    continues: bool = False
    """It contains the turn before, which was ended too early."""


EndpointAction: TypeAlias = SpeechBegan | Decode | Discard | Endpoint


class _State(Enum):
    CLOSED = auto()
    QUIET = auto()
    SPEAKING = auto()
    PAUSED = auto()
    OVERRUN = auto()


@dataclass(slots=True)
class _Voice:
    """Weighs voice against silence, so that one missed frame does not make a barge-in start anew."""

    weight: Seconds = Seconds(0.0)

    since: Seconds = Seconds(0.0)
    """When the first frame of voice began; means something while there is weight."""

    newest: bool = False
    """The verdict on the newest frame."""

    def weigh(self, now: Seconds, *, speech: bool) -> None:
        if speech and self.weight <= 0:
            self.since = Seconds(now - FRAME)
        self.weight = Seconds(max(0.0, self.weight + (FRAME if speech else -FRAME)))
        self.newest = speech


@dataclass(slots=True)
class _Turn:
    """What is known of the turn that is open."""

    began: Seconds

    sound_from: Seconds
    """Where its decodes start."""

    voice_end: Seconds

    partial_due: Seconds

    continues: bool = False

    decode: int | None = None
    """The one that is open."""

    verdict: Judged | None = None

    ended_at: Seconds = Seconds(0.0)


_ROUNDING = 1e-6  # sums of 20 ms are not exact in binary; a microsecond decides nothing


class Endpointer:
    """One leg's endpointer. It is born closed."""

    def __init__(self, policy: EndpointPolicy | None = None, lag: Seconds = Seconds(0.0)) -> None:
        """``lag`` is the detector's (:attr:`engine.asr.vad.VoiceActivity.lag_s`)."""
        self._policy = policy or EndpointPolicy()
        self._lag = lag
        self._state = _State.CLOSED
        self._voice = _Voice()
        self._turn: _Turn | None = None
        self._ended: _Turn | None = None
        self._heard_until = Seconds(0.0)
        self._decodes = 0

    @property
    def speaking(self) -> bool:
        """Whether a turn has begun and has not ended: the caller speaks, or pauses."""
        return self._turn is not None

    def open(self, policy: EndpointPolicy | None = None) -> None:
        """Listen; with another policy from now on if one is given. An open turn goes on, and so does the chance to take back."""
        self._policy = policy or self._policy
        if self._state is _State.CLOSED:
            self._voice = _Voice()
            self._state = _State.QUIET

    def close(self) -> tuple[EndpointAction, ...]:
        """Hear nothing until :meth:`open`; an open turn is dropped, and can't be taken back."""
        actions = self._discarded()
        self._state, self._turn, self._ended = _State.CLOSED, None, None
        return actions

    def settle(self) -> None:
        """The last turn was acted upon for good: whatever is said next is another one."""
        self._ended = None

    def receive(self, event: EndpointEvent, now: Seconds) -> tuple[EndpointAction, ...]:
        """Say what is to be done, in order. ``now`` never goes back; for an ``Activity`` it is the end of its frame."""
        match event:
            case Judged():
                return self._judged(event, now)
            case Activity(speech):
                return self._frame(now, speech=speech)

    def _judged(self, event: Judged, now: Seconds) -> tuple[EndpointAction, ...]:
        turn = self._turn
        if turn is None or turn.decode != event.decode:
            return ()
        if self._state is _State.SPEAKING:
            turn.decode = None
            return ()
        turn.verdict = event
        return self._ended_by_wait(turn, now)

    def _frame(self, now: Seconds, *, speech: bool) -> tuple[EndpointAction, ...]:
        if self._state is _State.CLOSED:
            return ()
        self._voice.weigh(now, speech=speech)
        if self._turn is None:
            return self._without_turn(now)
        if self._reached(now - self._turn.began, self._policy.longest):
            return self._capped(self._turn, now)
        return self._spoken(self._turn, now) if self._state is _State.SPEAKING else self._paused(self._turn, now)

    def _without_turn(self, now: Seconds) -> tuple[EndpointAction, ...]:
        if self._state is _State.OVERRUN:
            self._heard_until = Seconds(now - self._lag) if self._voice.newest else self._heard_until
            if self._reached(now - self._heard_until, self._policy.decode_after):
                self._voice = _Voice()
                self._state = _State.QUIET
            return ()
        return self._begun(now) if self._sure() else ()

    def _begun(self, now: Seconds) -> tuple[EndpointAction, ...]:
        at, due = self._voice.since, Seconds(now + self._policy.partial_every)
        if self._ended is not None and self._may_resume(self._ended, now):
            turn = replace(self._ended, continues=True, decode=None, verdict=None, partial_due=due)
        else:
            turn = _Turn(at, Seconds(max(self._heard_until, at - self._policy.pre_roll)), now, due)
        self._turn, self._ended, self._state = turn, None, _State.SPEAKING
        self._heard(turn, now)
        return (SpeechBegan(at, turn.continues),)

    def _may_resume(self, ended: _Turn, now: Seconds) -> bool:
        """Whether the voice came soon enough, and the cap leaves room for it."""
        in_time = self._reached(ended.ended_at + self._policy.take_back, self._voice.since)
        return in_time and not self._reached(now - ended.began, self._policy.longest)

    def _spoken(self, turn: _Turn, now: Seconds) -> tuple[EndpointAction, ...]:
        if self._voice.newest:
            self._heard(turn, now)
        if self._reached(now - turn.voice_end, self._policy.decode_after):
            self._state = _State.PAUSED
            self._voice = _Voice()
            return self._decoded(turn, now)
        every = self._policy.partial_every
        if every > 0 and turn.decode is None and self._reached(now, turn.partial_due):
            turn.partial_due = Seconds(now + every)
            return self._decoded(turn, now, partial=True)
        return ()

    def _paused(self, turn: _Turn, now: Seconds) -> tuple[EndpointAction, ...]:
        if not self._sure():
            return self._ended_by_wait(turn, now)
        actions = self._discarded()
        self._state = _State.SPEAKING
        turn.partial_due = Seconds(now + self._policy.partial_every)
        self._heard(turn, now)
        return actions

    def _ended_by_wait(self, turn: _Turn, now: Seconds) -> tuple[EndpointAction, ...]:
        """End the turn if it was judged and the silence has lasted; a sound that may yet be a voice is waited for."""
        verdict = turn.verdict
        if verdict is None or self._voice.newest or not self._reached(now - turn.voice_end, self._wait(verdict)):
            return ()
        reason = EndReason(verdict.completeness.value) if verdict.words else EndReason.NO_WORDS
        turn.ended_at, self._ended = now, turn
        self._state = _State.QUIET
        return (self._endpoint(turn, verdict.decode, reason),)

    def _wait(self, verdict: Judged) -> Seconds:
        if not verdict.words:
            return self._policy.unknown_wait
        if verdict.completeness is Completeness.COMPLETE:
            return self._policy.complete_wait
        if verdict.finished is not None:
            return self._policy.wait_by(verdict.finished)
        return self._policy.unknown_wait if verdict.completeness is Completeness.UNKNOWN else self._policy.incomplete_wait

    def _capped(self, turn: _Turn, now: Seconds) -> tuple[EndpointAction, ...]:
        actions: tuple[EndpointAction, ...] = ()
        if self._state is _State.SPEAKING:
            if self._voice.newest:
                self._heard(turn, now)
            actions = self._decoded(turn, now)
        assert turn.decode is not None  # it was just asked for, or else at the beginning of the pause
        self._state = _State.OVERRUN
        return (*actions, self._endpoint(turn, turn.decode, EndReason.CAP))

    def _endpoint(self, turn: _Turn, decode: int, reason: EndReason) -> Endpoint:
        self._turn = None
        self._heard_until = turn.voice_end
        return Endpoint(decode, turn.began, turn.voice_end, reason, turn.continues)

    def _decoded(self, turn: _Turn, now: Seconds, *, partial: bool = False) -> tuple[EndpointAction, ...]:
        """Ask for a decode, and take the open one back."""
        actions = self._discarded()
        self._decodes += 1
        turn.decode = self._decodes
        return (*actions, Decode(turn.decode, turn.sound_from, now, partial))

    def _discarded(self) -> tuple[EndpointAction, ...]:
        turn = self._turn
        if turn is None or turn.decode is None:
            return ()
        open_decode = turn.decode
        turn.decode, turn.verdict = None, None
        return (Discard(open_decode),)

    def _heard(self, turn: _Turn, now: Seconds) -> None:
        turn.voice_end = Seconds(max(turn.began, now - self._lag))

    def _sure(self) -> bool:
        return self._reached(self._voice.weight, self._policy.min_speech)

    @staticmethod
    def _reached(length: float, limit: float) -> bool:
        return length >= limit - _ROUNDING
