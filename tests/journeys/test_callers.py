"""A busy minute at the bank: nine people call at once, through every door, in real time, and each is served.

The calls run together once; every test looks at one of them, or at what they left behind.
"""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from engine.audio.files import read
from engine.audio.keytones import KeyToneDetector, make_key_tones
from engine.core.audio import AudioFrame, Samples, silence
from engine.core.units import Seconds
from engine.dialogue.codec import from_json, to_json
from engine.dialogue.events import Heard, KeyPressed, SecretCollected, SpeechStarted, Tick
from engine.dialogue.replay import replay
from engine.ivr.files import load_flow
from engine.testing.audiosocket_caller import AudioSocketCaller
from engine.testing.browser_caller import BrowserCaller
from engine.testing.caller import Caller
from engine.testing.twilio_caller import TwilioCaller
from tests.journeys.bank import CARD, SMALL_BANK, BankHost, Installation, Told, Voices, signed_in

pytestmark = pytest.mark.model

Story = Callable[[Installation, Voices], Awaitable[tuple[str, Caller]]]
Minute = Mapping[str, tuple[Told, Caller]]


async def _ended(caller: Caller) -> None:
    async with asyncio.timeout(60.0):
        await caller.over.wait()


async def sure(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    async with TwilioCaller.calling(bank.twilio, "sure") as caller:
        await caller.quiet()
        await caller.say(voices("When are you open?"))
        await _ended(caller)
    return "sure", caller


async def interrupts(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    async with TwilioCaller.calling(bank.twilio, "interrupts") as caller:
        await caller.hears(Seconds(0.0))
        await caller.say(voices("My card was stolen."))
        await _ended(caller)
    return "interrupts", caller


async def unsure(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    async with TwilioCaller.calling(bank.twilio, "unsure") as caller:
        for _ in range(2):
            await caller.quiet()
            await caller.say(voices("Purple elephants dance on the piano."))
            await caller.hears(caller.now)
        await caller.quiet()
        await caller.press("3")
        await _ended(caller)
    return "unsure", caller


async def noisy(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    hiss = np.random.default_rng(5).normal(0.0, 2500.0, 12_000).astype(np.int16)
    async with TwilioCaller.calling(bank.twilio, "noisy") as caller:
        await caller.quiet()
        for _ in range(3):
            await caller.say(AudioFrame(hiss))
            await caller.say(silence(Seconds(2.0)))
        await _ended(caller)
    return "noisy", caller


async def silent(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    async with TwilioCaller.calling(bank.twilio, "silent") as caller:
        await _ended(caller)
    return "silent", caller


async def hangs_up(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    async with TwilioCaller.calling(bank.twilio, "hangsup") as caller:
        await caller.hears(Seconds(0.0))
    return "hangsup", caller


async def keys_a_card(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    async with TwilioCaller.calling(bank.twilio, "card") as caller:
        await caller.quiet()
        await caller.say(voices("What is my account balance?"))
        await caller.hears(caller.now)
        await caller.quiet()
        await caller.press(CARD)
        await _ended(caller)
    return "card", caller


async def keys_a_card_in_tones(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    async with AudioSocketCaller.calling(*bank.audiosocket) as caller:
        await caller.quiet()
        await caller.say(make_key_tones(b"2"))
        await caller.hears(caller.now)
        await caller.quiet()
        await caller.say(make_key_tones(CARD.encode()))
        await _ended(caller)
    return str(caller.name), caller


async def from_the_browser(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    async with BrowserCaller.calling(bank.browser, signed_in(bank.folder, "dora")) as caller:
        await caller.quiet()
        await caller.say(voices("I want to talk to a person."))
        await _ended(caller)
    return caller.call, caller


STORIES: tuple[Story, ...] = (
    sure, interrupts, unsure, noisy, silent, hangs_up, keys_a_card, keys_a_card_in_tones, from_the_browser,
)  # fmt: skip


@pytest.fixture(scope="module")
def minute(bank: Installation, voices: Voices) -> Minute:
    """All of them, by the names of their stories."""
    for text in (
        "When are you open?",
        "My card was stolen.",
        "Purple elephants dance on the piano.",
        "What is my account balance?",
    ):
        voices(text)  # a caller does not take a breath of two seconds

    async def call() -> list[tuple[str, Caller]]:
        return await asyncio.gather(*(story(bank, voices) for story in STORIES))

    called = asyncio.run(call())
    return {story.__name__: (bank.told(name), caller) for story, (name, caller) in zip(STORIES, called, strict=True)}


def test_a_sure_caller_lands_on_the_node(minute: Minute) -> None:
    told, _ = minute["sure"]

    assert told.nodes == ["main", "opening_hours", "bye"]
    assert told.row.outcome == "completed"


def test_a_caller_who_interrupts_is_not_talked_over(minute: Minute) -> None:
    told, caller = minute["interrupts"]

    assert told.nodes[:2] == ["main", "lost_card"], told
    assert told.row.outcome == "transferred"
    assert caller.clears, "what was sent ahead of the welcome was not taken back"
    assert any(isinstance(event, SpeechStarted) for event in told.events)


def test_a_caller_who_is_not_understood_is_asked_again_and_then_offered_the_keys(minute: Minute) -> None:
    told, _ = minute["unsure"]

    assert "jump" not in told.rungs
    assert told.nodes == ["main", "opening_hours", "bye"]
    assert KeyPressed("3") in told.events


def test_noise_leads_to_a_person_and_nowhere_else(minute: Minute) -> None:
    told, _ = minute["noisy"]

    assert told.nodes == ["main", "operator"]
    assert told.row.outcome == "transferred"


def test_who_says_nothing_comes_to_a_person(minute: Minute) -> None:
    told, _ = minute["silent"]

    assert told.nodes == ["main", "operator"]
    assert not any(isinstance(event, Heard) for event in told.events)


def test_a_caller_who_hangs_up_in_the_middle_of_a_prompt_is_written_down_as_such(minute: Minute) -> None:
    told, _ = minute["hangs_up"]

    assert told.row.outcome == "caller_hung_up"


@pytest.mark.parametrize("story", ["keys_a_card", "keys_a_card_in_tones"])
def test_a_keyed_card_reaches_the_bank(minute: Minute, host: BankHost, story: str) -> None:
    told, _ = minute[story]

    assert SecretCollected(16, valid=True) in told.events
    assert host.secrets_of(told.row.id) == [b"card_number\0" + CARD.encode() + b"\n"]
    assert "balance_told" in told.nodes
    assert told.row.outcome == "completed"


def test_no_piece_of_the_card_is_in_any_file_the_engine_wrote(minute: Minute, bank: Installation) -> None:
    written = bank.everything_written()

    assert minute["keys_a_card"][0].row.id.encode() in written
    assert [CARD[at : at + 6] for at in range(11) if CARD[at : at + 6].encode() in written] == []
    assert [event for event in minute["keys_a_card"][0].events if isinstance(event, KeyPressed)] == []


def test_the_card_is_gone_from_the_engines_memory(minute: Minute, bank: Installation) -> None:
    assert _in_memory(bank.process.pid, b"callwright_calls_live")
    assert not _in_memory(bank.process.pid, CARD.encode())


def test_the_recording_has_everything_but_the_keys_of_the_card(minute: Minute, bank: Installation) -> None:
    told, _ = minute["keys_a_card_in_tones"]
    path = bank.recording(told.row.id)
    recording = read(path)
    caller, engine = (channel.samples for channel in recording.channels)

    assert _keys_in(make_key_tones(CARD.encode()).samples) == CARD.encode()
    assert _keys_in(caller) in (b"2", b"")  # the mask begins a little before the entry, which the menu's key has opened
    assert _keys_in(engine) == b""
    assert np.abs(engine).max() > 3000
    assert path.stat().st_mode & 0o077 == 0


def test_every_call_was_recorded_from_beginning_to_end(minute: Minute, bank: Installation) -> None:
    for told, _ in minute.values():
        with wave.open(str(bank.recording(told.row.id))) as recording:
            length = recording.getnframes() / recording.getframerate()

        assert recording.getnchannels() == 2
        assert length == pytest.approx(told.steps[-1].at, abs=0.1)


def test_every_journal_replays_to_the_same_actions_byte_for_byte(minute: Minute) -> None:
    flow = load_flow(SMALL_BANK)
    for told, _ in minute.values():
        fed = [(step.at, Tick() if step.event is None else from_json(step.event)) for step in told.steps]
        again = replay(flow, fed)  # type: ignore[arg-type]

        assert [to_json(actions) for _, actions in again] == [step.actions for step in told.steps]


def test_the_page_is_told_the_story_as_it_happens(minute: Minute) -> None:
    told, caller = minute["from_the_browser"]
    assert isinstance(caller, BrowserCaller)
    steps = [message for message in caller.messages if message["event"] == "step"]

    assert told.row.outcome == "transferred"
    assert any("talk to a person" in step["text"] for step in steps if step["who"] == "caller")
    assert any(step["text"] == "jump → operator" for step in steps)
    assert [message["destination"] for message in caller.messages if message["event"] == "transfer"] == ["operators"]


def test_the_log_has_a_line_for_every_call_and_no_word_of_any(minute: Minute, bank: Installation) -> None:
    for told, _ in minute.values():
        assert sum(told.row.id in line and '"call.ended"' in line for line in bank.log.splitlines()) == 1
    for word in ("elephants", "opening_hours", "balance_told", "talk to a person"):
        assert word not in bank.log


def _keys_in(samples: Samples) -> bytes:
    detector = KeyToneDetector()
    return bytes(tone.code for tone in (*detector.feed(AudioFrame(samples)), *detector.finish()))


def _in_memory(pid: int, needle: bytes) -> bool:
    """Whether a process holds these bytes in memory it can write to."""
    spans = [line.split()[0].split("-") for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if " rw" in line]
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for start, end in spans:
            memory.seek(int(start, 16))
            if needle in memory.read(int(end, 16) - int(start, 16)):
                return True
    return False
