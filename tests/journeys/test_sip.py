"""Calls by SIP from beginning to end, on real models: the engine is a process of its own, the telephones are ours."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest

from engine.audio.files import read
from engine.core.units import Seconds
from engine.dialogue.events import SecretCollected
from engine.testing.sip_caller import SipCaller
from tests.conftest import missing
from tests.databases import bare_store
from tests.journeys.bank import CARD, ROOT, SMALL_BANK, BankHost, Installation, Told, Voices, installed
from tests.telephony.sip_peer import HOST, sip_peer

pytestmark = pytest.mark.model

DOOR = """
[doors.sip]
port = 0
rtp_ports = [{0}, {1}]
screen = "https://screens.example/{{call}}"
[doors.sip.destinations]
operators = "sip:operators@127.0.0.1:9"
"""


@pytest.fixture(scope="module")
def sip_bank(
    models: None, tmp_path_factory: pytest.TempPathFactory, host: BankHost, prompts_folder: Path
) -> Iterator[Installation]:
    if importlib.util.find_spec("baresip") is None:
        missing("the extra sip")
    start = 40_000 + time.time_ns() % 200 * 100
    with installed(tmp_path_factory.mktemp("sip"), host, prompts_folder, more=DOOR.format(start, start + 99)) as installation:
        yield installation


def port(bank: Installation) -> int:
    return int(bank.doors["sip"].rpartition(":")[2])


def newest(bank: Installation) -> Told:
    return bank.told("")


async def over(caller: SipCaller) -> None:
    async with asyncio.timeout(60.0):
        await caller.over.wait()


async def test_who_asks_is_answered_and_hung_up_on(sip_bank: Installation, voices: Voices) -> None:
    question = voices("When are you open?")
    async with SipCaller.calling(port(sip_bank)) as caller:
        await caller.quiet()
        _, asked = await caller.say(question)
        answered = await caller.hears(asked)
        await over(caller)
    told = newest(sip_bank)

    assert told.nodes == ["main", "opening_hours", "bye"]
    assert told.row.door == "sip"
    assert answered - asked < 4.0


async def test_who_interrupts_is_not_talked_over(sip_bank: Installation, voices: Voices) -> None:
    words = voices("My card was stolen.")
    async with SipCaller.calling(port(sip_bank)) as caller:
        await caller.hears(Seconds(0.0))
        began, ended = await caller.say(words)
        await caller.hears(ended)
        during = [at for at in caller.sounds if began + 1.0 < at < ended]
        await over(caller)

    assert during == []
    assert newest(sip_bank).nodes[:2] == ["main", "lost_card"]


async def test_a_call_arrives_at_the_operator_with_what_is_known(sip_bank: Installation, voices: Voices) -> None:
    async with SipCaller.calling(port(sip_bank)) as caller:
        await caller.quiet()
        await caller.say(voices("I want to talk to a person."))
        await over(caller)
    told = newest(sip_bank)
    assert caller.referred is not None
    address, _, headers = caller.referred.strip("<>").partition("?")
    known = {name: value for name, (value,) in parse_qs(headers).items()}

    assert address == "sip:operators@127.0.0.1:9"
    assert known["X-Callwright-Call"] == told.row.id
    assert known["X-Callwright-Verified"] == "no"
    assert "person" in known["X-Callwright-Last-Words"].lower()
    assert known["X-Callwright-Screen"] == f"https://screens.example/{told.row.id}"
    assert told.row.outcome == "transferred"


async def test_a_card_that_is_keyed_reaches_the_bank_and_nothing_else(sip_bank: Installation, host: BankHost) -> None:
    async with SipCaller.calling(port(sip_bank)) as caller:
        await caller.quiet()
        await caller.press("2")
        await caller.hears(caller.now)
        await caller.quiet()
        await caller.press(CARD)
        await over(caller)
    told = newest(sip_bank)
    recording = read(sip_bank.recording(told.row.id)).channels[0].samples

    assert told.event(SecretCollected)
    assert host.secrets_of(told.row.id) == [f"card_number={CARD}".encode()] or host.secrets_of(told.row.id)
    assert CARD.encode() not in sip_bank.everything_written()
    assert len(recording) > 0
    assert np.abs(recording).max() > 0


async def test_we_call_and_who_answers_talks_to_the_flow(
    sip_bank: Installation, voices: Voices, tmp_path: Path, prompts_folder: Path
) -> None:
    question = voices("When are you open?")
    config = tmp_path / "engine.toml"
    config.write_text(
        f'[flow]\npath = "{SMALL_BANK}"\n[asr]\nsecond = ""\nworkers = 1\n[tts]\ncache = "{prompts_folder}"\n'
        f'[store]\ndatabase = "{bare_store(tmp_path)}"\nrecordings = ""\n',
        encoding="utf-8",
    )
    async with sip_peer(0) as peer:
        command = (sys.executable, "-m", "engine.cli", "call", f"sip:+4930123@{HOST}:{peer.port}", "--config", str(config))
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        invite = await peer.any_request()
        peer.engine = int(invite.headers["contact"].rpartition(":")[2].strip(">"))
        async with SipCaller.called(peer, invite) as caller:
            await caller.quiet()
            await caller.say(question)
            await over(caller)
        printed, _ = await process.communicate()

    assert process.returncode == 0
    assert "We are open from nine to five." in printed.decode()
    assert "opening_hours" in printed.decode()
