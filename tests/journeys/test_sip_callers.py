"""Real telephones call a real engine by SIP: Debian's baresip and sipp, on loopback.

Where words matter the models are real; where only sound matters the recogniser is a stub, and the sound carries numbers.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bench.capacity_engine import STUB, Engine, Wanted, engine, plug_in
from bench.capacity_judge import Outgoing, outgoing
from bench.capacity_load import Load, Script
from bench.capacity_sip import SipLine
from bench.capacity_stamps import Codes, found, hum, stamped
from engine.asr.protocol import Hints
from engine.asr.registry import load_recogniser
from engine.audio.files import read
from engine.audio.g711 import Law, decode, encode
from engine.audio.resample import resample
from engine.core.audio import WIDEBAND, AudioFrame
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.dialogue.events import KeyPressed
from engine.testing.sip_callers import LOOPBACK, Phone, PhoneSettings, Secured, free_port, sipp
from tests.conftest import missing
from tests.databases import bare_store
from tests.journeys.bank import ROOT, SMALL_BANK, BankHost, Installation, Told, Voices, installed

pytestmark = pytest.mark.model

LONGEST_HOLE = 0.060  # seconds
MOST_LOST = 0.005  # of all frames, on a machine that tests share; the bench is what judges 0.1 %
PATIENCE = Seconds(30.0)
_DOOR = """
[doors.sip]
port = 0
rtp_ports = [{0}, {1}]
srtp = "optional"
tls_certificate = "{folder}/certificate.pem"
tls_key = "{folder}/key.pem"
[doors.sip.destinations]
operators = "sip:operators@127.0.0.1:{operators}"
"""
_ISSUE = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"


@pytest.fixture(scope="module")
def programs() -> None:
    """What apt and pip bring."""
    for program, package in (("sipp", "sip-tester"), ("baresip", "baresip-core"), ("openssl", "openssl")):
        if shutil.which(program) is None:
            missing(f"{program} (apt install {package})")
    if importlib.util.find_spec("baresip") is None:
        missing("the extra sip")


@dataclass
class Bank:
    """An engine with real models, a SIP door with and without TLS, and the operators' telephone number."""

    installation: Installation
    folder: Path
    """Of this run's telephones, and of the certificate."""
    operators: int

    @property
    def address(self) -> str:
        return self.installation.doors["sip"].replace("sip:", "sip:bank@")

    @property
    def secured_address(self) -> str:
        host, _, port = self.address.rpartition(":")
        return f"{host}:{int(port) + 1};transport=tls"


@dataclass
class Called:
    """What became of one telephone's call."""

    told: Told
    phone: Phone
    heard: AudioFrame
    trace: str
    closed: str
    """Why, as the telephone says."""


Story = Callable[[Bank, Voices, Phone], Awaitable[None]]


async def asks(bank: Bank, voices: Voices, phone: Phone) -> None:
    await phone.dial(bank.address)
    await asyncio.sleep(2.5)  # the welcome
    await phone.say(voices("When are you open?"))
    await phone.until("CALL_CLOSED", PATIENCE)


async def asks_in_secret(bank: Bank, voices: Voices, phone: Phone) -> None:
    await phone.dial(bank.secured_address)
    await asyncio.sleep(2.5)
    await phone.say(voices("When are you open?"))
    await phone.until("CALL_CLOSED", PATIENCE)


async def presses_a_key(bank: Bank, voices: Voices, phone: Phone) -> None:
    await phone.dial(bank.address)
    await asyncio.sleep(1.0)
    await phone.press("3")
    await phone.until("CALL_CLOSED", PATIENCE)


async def holds(bank: Bank, voices: Voices, phone: Phone) -> None:
    await phone.dial(bank.address)
    await asyncio.sleep(0.8)
    await phone.hold()
    await asyncio.sleep(1.5)
    await phone.resume()
    await asyncio.sleep(0.5)
    await phone.press("3")
    await phone.until("CALL_CLOSED", PATIENCE)


async def hangs_up(bank: Bank, voices: Voices, phone: Phone) -> None:
    await phone.dial(bank.address)
    await asyncio.sleep(1.0)
    await phone.hang_up()
    await phone.until("CALL_CLOSED")


async def is_put_through(bank: Bank, voices: Voices, phone: Phone) -> None:
    await phone.dial(bank.address)
    await asyncio.sleep(1.0)
    await phone.press("0")
    await phone.until("CALL_CLOSED", PATIENCE)


STORIES: Mapping[str, Story] = {
    story.__name__: story for story in (asks, asks_in_secret, presses_a_key, holds, hangs_up, is_put_through)
}


@pytest.fixture(scope="module")
def bank(
    programs: None, models: None, tmp_path_factory: pytest.TempPathFactory, host: BankHost, prompts_folder: Path
) -> Iterator[Bank]:
    folder, operators = tmp_path_factory.mktemp("telephones"), free_port(socket.SOCK_DGRAM)
    subprocess.run(
        [*_ISSUE.split(), "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"], check=True, capture_output=True
    )
    (folder / "both.pem").write_text("".join((folder / name).read_text() for name in ("certificate.pem", "key.pem")))
    first = 32_000 + os.getpid() % 50 * 10
    more = _DOOR.format(first, first + 199, folder=folder, operators=operators)
    with installed(tmp_path_factory.mktemp("sip"), host, prompts_folder, more=more) as installation:
        yield Bank(installation, folder, operators)


@pytest.fixture(scope="module")
def evening(bank: Bank, voices: Voices) -> Mapping[str, Called]:
    """All of them call at once."""
    voices("When are you open?")

    async def tell(name: str, story: Story) -> Called:
        secured = Secured(bank.folder / "certificate.pem", bank.folder / "both.pem") if story is asks_in_secret else None
        async with Phone.plugged_in(bank.folder / name, PhoneSettings(name, secured=secured)) as phone:
            await story(bank, voices, phone)
        trace = phone.trace
        call = re.findall(r"^Call-ID: (\S+)\r?$", trace, re.MULTILINE)[0]
        closed = next(str(one["param"]) for one in phone.told if one.get("type") == "CALL_CLOSED")
        return Called(bank.installation.told(call), phone, phone.heard, trace, closed)

    async def call() -> dict[str, Called]:
        target = PhoneSettings("operators", answers=True)
        async with Phone.plugged_in(bank.folder / "operators", target, port=bank.operators):
            called = await asyncio.gather(*(tell(name, story) for name, story in STORIES.items()))
        return dict(zip(STORIES, called, strict=True))

    return asyncio.run(call())


def words(sound: AudioFrame) -> str:
    """What is said in it, by the real recogniser."""
    return str(load_recogniser("moonshine").recognise([resample(sound, WIDEBAND)], [Hints(ENGLISH)])[0].text).lower()


def test_a_voice_lands_on_the_node_and_the_caller_hears_the_answer(evening: Mapping[str, Called]) -> None:
    called = evening["asks"]

    assert called.told.nodes == ["main", "opening_hours", "bye"]
    assert called.told.row.door == "sip"
    assert "nine" in words(called.heard) or "five" in words(called.heard)


def test_the_bank_hangs_up_and_the_telephone_gets_its_bye(evening: Mapping[str, Called]) -> None:
    called = evening["asks"]

    assert called.told.row.outcome == "completed"
    assert re.search(r"^BYE sip:", called.trace, re.MULTILINE)
    assert called.closed == "Connection reset by peer"


def test_over_tls_with_srtp_it_is_the_same(evening: Mapping[str, Called]) -> None:
    called = evening["asks_in_secret"]

    assert called.told.nodes == ["main", "opening_hours", "bye"]
    assert "RTP/SAVP" in called.trace
    assert "a=crypto:" in called.trace
    assert "SRTP is Enabled" in called.trace


def test_a_key_by_rfc_4733_counts_once(evening: Mapping[str, Called]) -> None:
    told = evening["presses_a_key"].told

    assert [event for event in told.events if isinstance(event, KeyPressed)] == [KeyPressed("3")]
    assert told.nodes == ["main", "opening_hours", "bye"]


def test_who_was_on_hold_goes_on_where_he_was(evening: Mapping[str, Called]) -> None:
    called = evening["holds"]

    assert "a=sendonly" in called.trace
    assert called.told.nodes == ["main", "opening_hours", "bye"]
    assert called.told.row.outcome == "completed"


def test_a_caller_who_hangs_up_is_written_down_as_such(evening: Mapping[str, Called]) -> None:
    called = evening["hangs_up"]

    assert called.told.row.outcome == "caller_hung_up"
    assert called.closed == "Connection reset by user"


def test_a_transfer_arrives_at_the_operators_telephone_with_what_is_known(bank: Bank, evening: Mapping[str, Called]) -> None:
    called = evening["is_put_through"]
    arrived = (bank.folder / "operators" / "log").read_text(encoding="utf-8", errors="replace")
    invited = re.findall(r"^INVITE (\S+) SIP/2.0", arrived, re.MULTILINE)
    referred = re.findall(r"^Refer-To: (.*?)\r?$", called.trace, re.MULTILINE | re.IGNORECASE)

    assert called.told.row.outcome == "transferred"
    assert f"X-Callwright-Call={called.told.row.id}" in referred[0]
    assert f"X-Callwright-Call={called.told.row.id}" in invited[0]  # baresip 1.0.0 leaves what is known in the address
    assert "X-Callwright-Verified=no" in invited[0]
    assert "Call established" in arrived


@pytest.fixture(scope="module")
def stubbed(programs: None, models: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that hears one sentence whatever is said, and takes at most 20 calls."""
    with engine(tmp_path_factory.mktemp("stub") / "engine", Wanted("sip", STUB, max_calls=20)) as running:
        yield running


def numbered(seconds: float, mark: int, level: float = 12.0) -> Codes:
    quiet = np.frombuffer(encode(hum(round(seconds / 0.02), level), Law.ULAW), np.uint8).reshape(-1, 160)
    return stamped(quiet, mark)


async def test_twenty_calls_at_once_are_heard_frame_by_frame(stubbed: Engine, tmp_path: Path) -> None:
    voice = numbered(4.0, mark=77)
    played = await sipp(
        "caller_hangs_up", stubbed.address("sip")[1], tmp_path, "-m", "20", "-r", "20",
        voice=AudioFrame(decode(voice.tobytes(), Law.ULAW)),
    )  # fmt: skip
    heard = [found(np.frombuffer(encode(read(path).channels[0].samples, Law.ULAW), np.uint8)) for path in stubbed.recordings()]
    ours = [stamps for stamps in heard if 77 in stamps.marks]
    lost = [len(set(range(len(voice))) - set(stamps.numbers.tolist())) for stamps in ours]

    assert played.code == 0, played.complaints
    assert len(ours) == 20
    assert sum(lost) < MOST_LOST * 20 * len(voice), lost


@dataclass
class Disturbed:
    """What ten callers got while something happened, and when."""

    back: Outgoing
    times: Mapping[str, float]

    def longest_gap(self, event: str, for_s: float = 1.4) -> float:
        began = self.times[event]
        return max(gap for at, gap in self.back.gaps if began <= at < began + for_s)


@pytest.fixture(scope="module")
def disturbed(stubbed: Engine) -> Disturbed:
    """Ten calls that listen; a worker stands still, then the engine itself for 150 ms, then 50 calls come in within a second."""
    worker = Installation(stubbed.folder, stubbed.process, stubbed.doors).workers(STUB)[0]
    lines = [SipLine(Script(numbered(12.0, mark), []), stubbed.address("sip")) for mark in range(10)]
    strangers = [SipLine(Script(numbered(0.1, 99), []), stubbed.address("sip")) for _ in range(50)]
    load = Load(lines, visitors=[(7.5 + number / 50, line) for number, line in enumerate(strangers)])
    load.moments = [
        (3.0, lambda: os.kill(worker, signal.SIGSTOP)),
        (4.5, lambda: os.kill(worker, signal.SIGCONT)),
        (6.0, lambda: os.kill(stubbed.process.pid, signal.SIGSTOP)),
        (6.15, lambda: os.kill(stubbed.process.pid, signal.SIGCONT)),
    ]
    load.run(length=9.5, rate=20)

    statuses = sorted({line.status for line in strangers})
    assert statuses in ([200, 486], [200, 503]), statuses
    times = {"worker": 3.0, "pause": 6.0, "burst": 7.5}
    return Disturbed(outgoing(lines), {name: load.began + at for name, at in times.items()})


@pytest.mark.parametrize("event", ["worker", "pause", "burst"])
def test_what_goes_wrong_elsewhere_makes_no_hole_in_a_callers_sound(disturbed: Disturbed, event: str) -> None:
    assert disturbed.longest_gap(event) <= LONGEST_HOLE
    assert disturbed.back.frames.lost == 0
    assert disturbed.back.cut_short == 0


async def test_a_telephone_that_is_called_answers_and_talks_to_the_flow(
    programs: None, models: None, tmp_path: Path, prompts_folder: Path
) -> None:
    plug_in(tmp_path / "plug-ins")
    config = tmp_path / "engine.toml"
    config.write_text(
        f'[flow]\npath = "{SMALL_BANK}"\n[asr]\nrecognisers = {{ en = "{STUB}" }}\nsecond = ""\nworkers = 1\n'
        f'[tts]\ncache = "{prompts_folder}"\n[store]\ndatabase = "{bare_store(tmp_path)}"\nrecordings = ""\n',
        encoding="utf-8",
    )
    async with Phone.plugged_in(tmp_path / "phone", PhoneSettings("customer", answers=True)) as phone:
        command = (sys.executable, "-m", "engine.cli", "call", f"sip:customer@{LOOPBACK}:{phone.port}", "--config", str(config))
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=os.environ | {"PYTHONPATH": f"{tmp_path / 'plug-ins'}:{ROOT}"}, stdout=asyncio.subprocess.PIPE
        )
        await phone.until("CALL_ESTABLISHED", PATIENCE)
        await asyncio.sleep(1.0)
        await phone.press("3")
        await phone.until("CALL_CLOSED", PATIENCE)
        printed, _ = await process.communicate()

    assert process.returncode == 0
    assert "We are open from nine to five." in printed.decode()
    assert np.abs(phone.heard.samples).max() > 3_000
