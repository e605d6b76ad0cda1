"""Who answered, judged while the line is listened to: before the flow's first words, and on beside them.

A person is spoken to half a second behind their "hello". To a machine nothing is said, or the campaign's message after its beep.
A machine that is noticed late ends the talk as if it had hung up. Words are the live recogniser's; where it has no time for them,
cadence and tones judge alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from engine.asr.detectors import make_vad
from engine.asr.protocol import Hints
from engine.asr.vad import VoiceActivity
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.call import CallFacts
from engine.core.errors import EngineError, MediaError
from engine.core.units import Language, Seconds
from engine.dialogue.actions import Spoken
from engine.outbound.answering.listener import Heard, Listener
from engine.outbound.answering.tones import Signal
from engine.outbound.answering.verdict import MACHINES, Answerer, Verdict
from engine.outbound.campaign import Campaign
from engine.outbound.contacts import CampaignId, Contact, Outcome
from engine.outbound.message import message_for
from engine.runtime.dictation import Dictated
from engine.runtime.dictation import Final as Phrase
from engine.runtime.engine import Engine
from engine.runtime.entries import LOOK_BACK, PAUSE
from engine.runtime.mouth import Mouth
from engine.runtime.outbound.talking import Judge, Judged
from engine.runtime.tape import Beforehand
from engine.store.attempts import Intent
from engine.store.campaigns import Campaigns
from engine.telephony.leg import Gone, Incoming, Key, Leg, Sound

_log = structlog.get_logger(__name__)
_GREETING: Final = Seconds(30.0)  # the longest that is waited for to end
_LOST: Final = frozenset({"lost", MediaError.code})  # reasons of who is gone, and has not hung up
_NO_BEEP: Final = Seconds(3.0)  # of silence: this machine has none

Words = Callable[[AudioFrame], Awaitable[str]]
"""What a recogniser hears in a sound."""


class ListenedLeg:
    """A leg that is listened to as it is received from. See :class:`engine.telephony.leg.Leg`."""

    def __init__(self, leg: Leg, listener: Listener, words: Words) -> None:
        self.listener = listener
        self.newest = Heard()
        """What came of the last 20 ms."""
        self.late: Verdict | None = None
        """Set once the line turned out to be a machine's after all."""
        self.gone = False
        self.keyed: deque[Key] = deque()
        """Keys pressed before the talk; the talk gets them first."""
        self._before: list[AudioFrame] | None = []  # what was heard; ``None``: the talk hears it
        self._lost = False
        self._masked: list[tuple[Seconds, Seconds]] = []
        self._leg = leg
        self._words = words
        self._asked: asyncio.Future[str] | None = None

    @property
    def facts(self) -> CallFacts:
        return self._leg.facts

    @property
    def real_time(self) -> bool:
        return self._leg.real_time

    @property
    def lead(self) -> Seconds:
        return self._leg.lead

    async def receive(self) -> Incoming:
        """See the leg's. Safe to cancel."""
        if self.keyed:
            return self.keyed.popleft()
        incoming = await self.listen()
        return Gone("a machine answered") if self.late is not None else incoming

    async def listen(self) -> Incoming:
        """What the leg brings, listened to. Safe to cancel."""
        if self.gone:
            return Gone("hung up")
        incoming = await self._leg.receive()
        match incoming:
            case Sound(frame):
                if self._before is not None:
                    self._before.append(frame)
                self._take(self.listener.hear(frame))
            case Key() if self._before:
                now = self._before[-1].end_s
                self._masked.append((Seconds(max(0.0, now - LOOK_BACK)), Seconds(now + PAUSE)))
            case Gone(reason):
                self.gone, self._lost = True, reason in _LOST
        return incoming

    def before(self) -> Beforehand:
        """What was heard until now, to be asked for once: the talk records the rest. Keys are masked, whatever they were for."""
        heard, self._before = Beforehand(tuple(self._before or ()), tuple(self._masked)), None
        return heard

    def turned_out(self) -> str | None:
        """Whom the line turned out to be while the flow spoke."""
        return None if self.late is None else str(self.late.answerer)

    def lost(self) -> bool:
        """Whether the line was lost, or what carries it: nobody hung up."""
        return self._lost

    async def send(self, frame: AudioFrame) -> None:
        """See the leg's."""
        await self._leg.send(frame)

    async def flush(self) -> None:
        """See the leg's."""
        await self._leg.flush()

    async def transfer(self, destination: str, context: Mapping[str, str]) -> bool:
        """See the leg's. Not safe to cancel."""
        return await self._leg.transfer(destination, context)

    async def hang_up(self) -> None:
        """See the leg's."""
        if self._asked is not None:
            self._asked.cancel()
        await self._leg.hang_up()

    def _take(self, heard: Heard) -> None:
        self.newest = heard
        if heard.sound is not None:
            self._asked = asyncio.ensure_future(self._words(heard.sound))
        verdict = heard.verdict
        if self._asked is not None and self._asked.done() and not self._asked.cancelled():
            verdict = self.listener.words(self._asked.result()) or verdict
            self._asked = None
        if verdict is not None and verdict.late and verdict.answerer in MACHINES:
            self.late = verdict


@dataclass(frozen=True, slots=True)
class WhoAnswers:
    """See :data:`engine.runtime.outbound.talking.Judge`."""

    vad: Callable[[], VoiceActivity]

    hear: Callable[[AudioFrame, Language], Awaitable[str]]
    """The words of a stretch of sound; none where nobody could hear them."""

    say: Callable[[Spoken, Language], Awaitable[AudioFrame]]
    """The sound of a message; raises ``EngineError``."""

    campaign: Callable[[CampaignId], Campaign | None]
    """As its file says; called from a thread."""

    async def __call__(self, leg: Leg, intent: Intent) -> Judged:
        """Safe to cancel."""
        contact = intent.contact
        listened = ListenedLeg(leg, Listener(self.vad(), contact.language), lambda sound: self.hear(sound, contact.language))
        verdict = await first_verdict(listened)
        if verdict is None:
            seconds = listened.listener.now
            return Judged(listened, Answerer.PERSON, talk=False, seconds=seconds, lost=listened.lost)  # gone before it was known
        _log.info("outbound.answered", call=leg.facts.id, by=str(verdict.answerer), confidence=round(verdict.confidence, 2))
        if verdict.answerer not in MACHINES:
            return Judged(listened, _kept(verdict), late=listened.turned_out, before=listened.before(), lost=listened.lost)
        left = verdict.answerer is Answerer.MACHINE and await self._left(listened, contact)
        outcome = Outcome.LEFT_MESSAGE if left else None
        return Judged(listened, verdict.answerer, talk=False, outcome=outcome, seconds=listened.listener.now)

    async def _left(self, leg: ListenedLeg, contact: Contact) -> bool:
        """Whether the campaign's message was left to its end."""
        policy = await asyncio.to_thread(self.campaign, contact.campaign)
        text = None if policy is None else message_for(policy, contact.language)
        if text is None:
            return False
        try:
            sound = await self.say(Spoken("message", text, contact.fields), contact.language)
        except EngineError as error:
            _log.error("outbound.message", call=leg.facts.id, code=error.code)
            return False
        return await beep_heard(leg) and await said(leg, sound)


def who_answers(engine: Engine, campaigns: Campaigns) -> Judge:
    """The judge of a running engine."""

    async def hear(sound: AudioFrame, language: Language) -> str:
        phrases: list[Dictated] = []
        try:
            ear = engine.dictation(TELEPHONY, Hints(language), phrases.append)
            ear.hear(AudioFrame(sound.samples))
            ear.finish()
            await ear.settled()
        except EngineError as error:
            _log.warning("outbound.words", code=error.code)
        return " ".join(it.transcript.text for it in phrases if isinstance(it, Phrase))

    async def say(spoken: Spoken, language: Language) -> AudioFrame:
        return await engine.say([spoken], language)

    def campaign(wanted: CampaignId) -> Campaign | None:
        kept = campaigns.of(wanted)
        return None if kept is None else kept.readable

    return WhoAnswers(make_vad(engine.config.asr.vad), hear, say, campaign)


def _kept(verdict: Verdict) -> str:
    """As the attempt keeps it: silence may well have been a person."""
    return "unsure" if verdict.unsure or verdict.answerer is Answerer.SILENCE else verdict.answerer


async def first_verdict(leg: ListenedLeg) -> Verdict | None:
    """Listen until it is known who answered; ``None``: they hung up before. Safe to cancel."""
    while leg.listener.answering.verdict is None:
        match await leg.listen():
            case Gone():
                return None
            case Key() as key:
                leg.keyed.append(key)
    return leg.listener.answering.verdict


async def beep_heard(leg: ListenedLeg) -> bool:
    """Wait for the beep, or for the silence of a machine that has none; whether anybody is still there. Safe to cancel."""
    listener = leg.listener
    since, signal = listener.now, leg.newest.signal
    while signal is not Signal.BEEP and listener.answering.silence(listener.now) < _NO_BEEP:
        if isinstance(await leg.listen(), Gone) or listener.now - since > _GREETING:
            return False
        signal = leg.newest.signal
    return True


async def said(leg: ListenedLeg, sound: AudioFrame) -> bool:
    """Say it at the line's pace; whether they stayed to its end. Safe to cancel."""
    mouth = Mouth(leg.lead)
    begun = False
    while True:
        match await leg.listen():
            case Gone():
                return False
            case Sound(frame):
                if not begun:
                    mouth.start(0, sound, frame.end_s, barge_in=False)
                    begun = True
                for piece in mouth.due(frame.end_s):
                    await leg.send(piece)
                if mouth.finished(frame.end_s) is not None:
                    return True
