"""The other WebSocket dialects, on real models: a caller behind Asterisk, one behind FreeSWITCH, and one of a cousin of Twilio's.

They call together once; every test looks at one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

import pytest

from engine.core.units import Seconds
from engine.dialogue.events import SecretCollected, SpeechStarted
from engine.testing.asterisk_ws_caller import AsteriskWsCaller
from engine.testing.caller import Caller
from engine.testing.freeswitch_caller import FreeSwitchCaller
from tests.journeys.bank import CARD, BankHost, Installation, Told, Voices

pytestmark = pytest.mark.model

Story = Callable[[Installation, Voices], Awaitable[tuple[str, Caller]]]
Minute = Mapping[str, tuple[Told, Caller]]


async def _ended(caller: Caller) -> None:
    async with asyncio.timeout(60.0):
        await caller.over.wait()


async def interrupts_behind_asterisk(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    name = str(uuid4())
    said = {"uuid": name, "caller": "+4915112345678"}
    async with AsteriskWsCaller.calling(bank.doors["asterisk"], "slin16", as_json=True, **said) as caller:
        await caller.hears(Seconds(0.0))
        await caller.say(voices("My card was stolen."))
        await _ended(caller)
    return name, caller


async def keys_a_card_behind_asterisk(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    name = str(uuid4())
    async with AsteriskWsCaller.calling(bank.doors["asterisk"], "alaw", uuid=name) as caller:
        await caller.quiet()
        await caller.press("2")
        await caller.hears(caller.now)
        await caller.quiet()
        await caller.press(CARD)
        await _ended(caller)
    return name, caller


async def asks_behind_freeswitch(bank: Installation, voices: Voices) -> tuple[str, Caller]:
    name = str(uuid4())
    metadata = f'{{"uuid": "{name}", "rate": 16000, "channels": 2}}'
    async with FreeSwitchCaller.calling(bank.doors["freeswitch"], metadata, rate_hz=16_000, channels=2) as caller:
        await caller.quiet()
        await caller.say(voices("When are you open?"))
        await _ended(caller)
    return name, caller


STORIES: tuple[Story, ...] = (interrupts_behind_asterisk, keys_a_card_behind_asterisk, asks_behind_freeswitch)


@pytest.fixture(scope="module")
def minute(bank: Installation, voices: Voices) -> Minute:
    """All of them, by the names of their stories."""
    for text in ("My card was stolen.", "When are you open?"):
        voices(text)

    async def call() -> list[tuple[str, Caller]]:
        return await asyncio.gather(*(story(bank, voices) for story in STORIES))

    called = asyncio.run(call())
    return {story.__name__: (bank.told(name), caller) for story, (name, caller) in zip(STORIES, called, strict=True)}


def test_a_caller_behind_asterisk_is_not_talked_over_and_comes_to_people(minute: Minute) -> None:
    told, caller = minute["interrupts_behind_asterisk"]
    assert isinstance(caller, AsteriskWsCaller)

    assert told.nodes[:2] == ["main", "lost_card"], told
    assert any(isinstance(event, SpeechStarted) for event in told.events)
    assert caller.clears, "what was sent ahead of the welcome was not taken back"
    assert (caller.commands[0], caller.commands[-1], caller.cut) == ("ANSWER", "HANGUP", 0)
    assert (told.row.outcome, told.row.door) == ("transferred", "asterisk")


def test_keys_of_asterisk_reach_the_bank_and_no_file(minute: Minute, bank: Installation, host: BankHost) -> None:
    told, _ = minute["keys_a_card_behind_asterisk"]

    assert SecretCollected(16, valid=True) in told.events
    assert host.secrets_of(told.row.id) == [b"card_number\0" + CARD.encode() + b"\n"]
    assert CARD.encode() not in bank.everything_written()
    assert told.row.outcome == "completed"


def test_a_caller_behind_freeswitch_is_understood_in_stereo_and_wideband(minute: Minute) -> None:
    told, caller = minute["asks_behind_freeswitch"]
    assert isinstance(caller, FreeSwitchCaller)

    assert told.nodes == ["main", "opening_hours", "bye"], told
    assert caller.events[-1] == {"type": "disconnect", "data": {"reason": "ended"}}
    assert (told.row.outcome, told.row.door) == ("completed", "freeswitch")
