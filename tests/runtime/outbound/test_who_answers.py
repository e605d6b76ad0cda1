"""The judge of answered calls on recordings that play as fast as it listens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.call import CallFacts, CallId, Direction
from engine.core.speech import ENGLISH
from engine.core.units import Language, Seconds
from engine.dialogue.actions import Spoken
from engine.outbound.campaign import Campaign
from engine.outbound.campaign_file import parse_campaign
from engine.outbound.contacts import AttemptId, CampaignId, Contact, ContactId, Outcome, PersonKey
from engine.runtime.entries import PAUSE
from engine.runtime.outbound.talking import Judged
from engine.runtime.outbound.who_answers import ListenedLeg, WhoAnswers
from engine.runtime.tape import NoTape
from engine.store.attempts import Intent
from engine.telephony.leg import Gone, Incoming, Key, Leg
from engine.testing.parts import Loudness
from engine.testing.wav_leg import WavLeg

OVERDUE = Path(__file__).parents[3] / "examples" / "bank" / "campaigns" / "overdue_notice" / "campaign.yaml"
CLARA = Contact(
    id=ContactId("c1"), campaign=CampaignId("overdue"), person=PersonKey("M-1"), number="+4930123456", language=ENGLISH,
    zone="Europe/Berlin", fields={"name": "Clara", "due_date": "2026-11-27"}, consent=None, consent_at=None,
)  # fmt: skip
INTENT = Intent(AttemptId("a" * 32), CLARA)
FACTS = CallFacts(CallId("the-call"), "sip", Direction.OUTBOUND)
GREETING = "You have reached the voicemail of Clara"
Piece = tuple[str, float]


def line(*pieces: Piece, patience: float = 4.0, keys: tuple[tuple[Seconds, int], ...] = ()) -> WavLeg:
    draw = np.random.default_rng(1)
    parts = [np.zeros(800)]
    for kind, length in pieces:
        count = round(length * TELEPHONY.rate_hz)
        moments = np.arange(count) / TELEPHONY.rate_hz
        sounds = {"voice": draw.normal(0, 3000, count), "beep": 6000 * np.sin(2 * np.pi * 1000 * moments)}
        parts.append(sounds.get(kind, np.zeros(count)))
    sound = AudioFrame(np.concatenate(parts).astype(np.int16))
    return WavLeg(sound, FACTS, real_time=False, patience=Seconds(patience), keys=keys)


def campaign(*, message: str | None) -> Campaign:
    text = OVERDUE.read_text("utf-8")
    policy = parse_campaign(text, "campaign.yaml")
    if message is None:
        return policy
    machine = type(policy.machine)("leave_message")
    return replace(policy, machine=machine, message={ENGLISH: message})


class Says:
    """The voice: one second of a tone for any message, and what it was asked to say."""

    def __init__(self) -> None:
        self.asked: list[Spoken] = []

    async def __call__(self, spoken: Spoken, language: Language) -> AudioFrame:
        self.asked.append(spoken)
        return AudioFrame(np.full(TELEPHONY.rate_hz, 900, np.int16))


async def judged(leg: Leg, *, words: str = "", message: str | None = None, says: Says | None = None) -> Judged:
    async def hear(sound: AudioFrame, language: Language) -> str:
        return words

    judge = WhoAnswers(Loudness, hear, says or Says(), lambda _: campaign(message=message))
    return await judge(leg, INTENT)


async def test_a_short_hello_begins_the_talk_on_the_same_leg() -> None:
    leg = line(("voice", 0.5), ("quiet", 1.0))

    found = await judged(leg)

    assert (found.talk, found.answerer) == (True, "person")
    assert leg.position < 1.5


async def test_silence_begins_the_talk_too_and_is_kept_as_unsure() -> None:
    found = await judged(line(("quiet", 5.0)))

    assert (found.talk, found.answerer) == (True, "unsure")


async def test_a_machine_is_hung_up_on_where_no_message_is_to_be_left() -> None:
    found = await judged(line(("voice", 6.0), ("quiet", 0.5), ("beep", 0.4)), words=GREETING)

    assert (found.talk, found.answerer, found.outcome) == (False, "machine", None)


async def test_a_message_is_left_after_the_beep() -> None:
    leg, says = line(("voice", 5.0), ("quiet", 0.5), ("beep", 0.4), ("quiet", 1.0)), Says()

    found = await judged(leg, words=GREETING, message="A letter is under way, until {due_date}.", says=says)

    heard = leg.heard
    spoken = np.flatnonzero(np.abs(heard.samples) > 500) / TELEPHONY.rate_hz
    assert (found.talk, found.answerer, found.outcome) == (False, "machine", Outcome.LEFT_MESSAGE)
    assert [it.text for it in says.asked] == ["A letter is under way, until {due_date:date}."]
    assert 6.0 <= spoken[0] < 6.4
    assert spoken[-1] - spoken[0] > 0.95


async def test_a_machine_that_hangs_up_into_the_message_was_left_none() -> None:
    leg = line(("voice", 5.0), ("quiet", 0.5), ("beep", 0.4), patience=0.3)

    found = await judged(leg, words=GREETING, message="A letter is under way.")

    assert (found.answerer, found.outcome) == ("machine", None)


async def test_who_hangs_up_before_it_is_known_was_a_person_who_was_gone() -> None:
    found = await judged(line(("voice", 0.3), patience=0.1))

    assert (found.talk, found.answerer) == (False, "person")


async def test_keys_pressed_meanwhile_are_the_talks_first() -> None:
    found = await judged(line(("voice", 0.5), ("quiet", 1.0), keys=((Seconds(0.3), ord("1")),)))

    first = await found.leg.receive()

    assert isinstance(first, Key)
    assert first.code == ord("1")


async def test_a_machine_that_is_noticed_late_ends_the_talk() -> None:
    found = await judged(line(("voice", 0.5), ("quiet", 1.0), ("voice", 4.0), ("quiet", 0.4), ("beep", 0.5), ("quiet", 3.0)))
    assert isinstance(found.leg, ListenedLeg)

    while not isinstance(await found.leg.receive(), Gone):
        pass

    assert (found.talk, found.answerer, found.late()) == (True, "person", "machine")


async def test_what_was_heard_before_the_flow_is_for_its_recording() -> None:
    leg = line(("voice", 0.5), ("quiet", 1.0))

    found = await judged(leg)
    heard = found.before.sound

    assert heard[0].start == 0
    assert heard[-1].end_s == leg.position
    assert [one.end_s for one in heard[:-1]] == [one.start_s for one in heard[1:]]
    assert found.before.masked == ()


async def test_a_key_that_was_pressed_before_the_flow_is_masked_on_the_recording() -> None:
    found = await judged(line(("voice", 0.5), ("quiet", 1.0), keys=((Seconds(0.3), ord("1")),)))
    tape = Taped()

    found.before.put_on(tape)

    assert tape.masks_first
    assert tape.masks == [(0.0, 0.3 + PAUSE)]


class Taped(NoTape):
    def __init__(self) -> None:
        self.masks: list[tuple[float, float]] = []
        self.masks_first = True

    def caller(self, frame: AudioFrame) -> None:
        self.masks_first &= bool(self.masks)

    def mask(self, start: Seconds, end: Seconds) -> None:
        self.masks.append((round(start, 2), round(end, 2)))


@pytest.mark.parametrize(("reason", "lost"), [("lost", True), ("media", True), ("hung_up", False), ("ended", False)])
@pytest.mark.parametrize("spoke", [0.0, 0.5])
async def test_a_line_that_is_lost_is_not_taken_for_somebody_who_hangs_up(reason: str, lost: bool, spoke: float) -> None:
    found = await judged(cast("Leg", Cut(line(("voice", spoke), ("quiet", 5.0)), reason)))
    if found.talk:
        while not isinstance(await found.leg.receive(), Gone):
            pass

    assert found.talk == (spoke > 0.0)
    assert found.lost() == lost


class Cut:
    """A line that goes, for this reason."""

    def __init__(self, leg: WavLeg, reason: str) -> None:
        self._leg, self._reason = leg, reason

    async def receive(self) -> Incoming:
        incoming = await self._leg.receive()
        over = isinstance(incoming, Gone) or self._leg.position > 2.0
        return Gone(self._reason) if over else incoming

    def __getattr__(self, name: str) -> Any:
        return getattr(self._leg, name)
