"""Debian's sipp calls the recorder in the shapes of several vendors' SBCs; the sound comes beside it, on the same lines."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.audio.g711 import Law
from engine.core.audio import FRAME, TELEPHONY, AudioFrame, Samples, frames_of
from engine.core.call import Speaker
from engine.telephony.siprec.recording_session import NoteKind, Rules
from engine.telephony.siprec.server import Invitation, SiprecSettings, serve_siprec
from engine.testing.siprec_callers import RtpStream
from tests.conftest import missing
from tests.telephony.test_siprec_server import Tape, free_ports

SCENARIOS = Path(__file__).parent / "siprec"
_CALLER, _BANK = "sip:+493012345678@carrier.example", "sip:4711@bank.example"


def _clicks(length: float) -> AudioFrame:
    """A click every half second, as short as a click is."""
    sound = np.zeros(round(length * TELEPHONY.rate_hz), np.int16)
    for place in range(1_600, len(sound), 4_000):
        sound[place : place + 40] = 16_000
    return AudioFrame(sound)


async def _sipp(place: str, scenario: str, folder: Path, *more: str) -> tuple[int, str]:
    """Run a scenario to its end; sipp's exit code, and what it complains of."""
    program = shutil.which("sipp") or missing("sipp (apt install sip-tester)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = (
        "-sf",
        str(SCENARIOS / scenario),
        "-i",
        "127.0.0.1",
        "-p",
        str(port),
        "-nostdin",
        "-timeout",
        "25",
        "-trace_err",
        *more,
    )
    running = await asyncio.create_subprocess_exec(
        str(program), place, *options, cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await asyncio.wait_for(running.wait(), 30)
    finally:
        if running.returncode is None:
            running.kill()
    return running.returncode or 0, _complaints(folder)


def _complaints(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("*_errors.log"))


@contextlib.asynccontextmanager
async def _speaking(tapes: Sequence[Tape], ports: tuple[int, int], sound: AudioFrame, law: Law) -> AsyncIterator[None]:
    """Say the same on both lines at the same moments, from when the call is taken."""

    async def speak() -> None:
        while not tapes:  # noqa: ASYNC110
            await asyncio.sleep(FRAME)
        streams = [RtpStream(law, ssrc=n + 1, timestamp=n * 777_777) for n in range(2)]
        loop = asyncio.get_running_loop()
        due = loop.time()
        for frame in frames_of(sound):
            for stream, port in zip(streams, (ports[0], ports[0] + 2), strict=True):
                sending.sendto(stream.packet(frame.samples), ("127.0.0.1", port))
            due += FRAME
            await asyncio.sleep(max(0.0, due - loop.time()))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.bind(("127.0.0.1", 0))
        speaking = asyncio.create_task(speak())
        try:
            yield
        finally:
            speaking.cancel()
            await asyncio.wait([speaking])


async def _recorded(scenario: str, folder: Path, transport: str, law: Law = Law.ULAW) -> Tape:
    tapes: list[Tape] = []

    def take(invitation: Invitation) -> Tape:
        tapes.append(Tape(invitation.session))
        return tapes[-1]

    ports = free_ports(4)
    settings = SiprecSettings(rtp_ports=ports, rules=Rules(agents=() if scenario == "oracle.xml" else ("sip:47??@bank.example",)))
    async with serve_siprec(settings, take, lambda: False) as server, _speaking(tapes, ports, _clicks(4.0), law):
        code, complaints = await _sipp(f"127.0.0.1:{server.ports['UDP']}", scenario, folder, "-m", "1", "-t", transport)

    assert (code, complaints) == (0, "")
    assert tapes[0].reason == "hung_up"
    return tapes[0]


def _in_sync(tape: Tape) -> bool:
    """Whether every click lies within 40 ms of the other channel's."""
    left, right = ([int(place) for place in _onsets(tape.channel(n))] for n in (0, 1))
    near = [min(abs(place - other) for other in right) for place in left]
    return len(left) >= 2 and max(near) / TELEPHONY.rate_hz <= 0.040


def _onsets(channel: Samples) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    loud = np.abs(channel.astype(np.int32)) > 12_000
    places = np.flatnonzero(loud)
    return places[np.diff(places, prepend=-8_000) > 800]


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_a_cisco_cube_forks_holds_and_transfers(tmp_path: Path, transport: str) -> None:
    tape = await _recorded("cube.xml", tmp_path, transport)

    assert _in_sync(tape)
    assert tape.session.metadata.session == "ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000"
    assert [(one.aor, one.name) for one in tape.session.who(Speaker.CALLER)] == [(_CALLER, "Robert Jones")]
    assert [(one.aor, one.name) for one in tape.session.who(Speaker.AGENT)] == [("sip:4712@bank.example", "Bob")]
    kinds = [note.kind for note in tape.session.notes]
    assert kinds.count(NoteKind.PAUSED) == kinds.count(NoteKind.RESUMED) == 2
    pause = next(note.at for note in tape.session.notes if note.kind is NoteKind.PAUSED)
    span = slice(round((pause + 0.05) * 8_000), round((pause + 0.5) * 8_000))
    assert not tape.channel(0)[span].any()
    assert len(tape.session.documents) == 2


async def test_an_oracle_sbc_marks_who_called_and_puts_the_agent_first(tmp_path: Path) -> None:
    tape = await _recorded("oracle.xml", tmp_path, "t1", Law.ALAW)

    assert _in_sync(tape)
    assert [tape.session.speaker(line) for line in (0, 1)] == [Speaker.AGENT, Speaker.CALLER]
    assert [one.aor for one in tape.session.who(Speaker.CALLER)] == [_CALLER]
    assert b"X-Bank-Call" in tape.session.documents[0]


async def test_an_avaya_sbce_names_the_agent_later_by_an_update(tmp_path: Path) -> None:
    tape = await _recorded("avaya.xml", tmp_path, "u1")

    assert _in_sync(tape)
    assert [one.aor for one in tape.session.who(Speaker.AGENT)] == [_BANK]
    assert tape.changes == 1
    assert [(note.kind, note.who) for note in tape.session.notes][-1] == (NoteKind.JOINED, _BANK)


async def test_twenty_calls_at_once_are_taken_and_ended(tmp_path: Path) -> None:
    tapes: list[Tape] = []

    def take(invitation: Invitation) -> Tape:
        tapes.append(Tape(invitation.session))
        return tapes[-1]

    async with serve_siprec(SiprecSettings(), take, lambda: False) as server:
        code, complaints = await _sipp(
            f"127.0.0.1:{server.ports['UDP']}", "oracle.xml", tmp_path, "-m", "20", "-r", "50", "-l", "20", "-t", "u1"
        )

        assert (code, complaints) == (0, "")
        assert [tape.reason for tape in tapes] == ["hung_up"] * 20
        assert server.live == 0


def test_the_scenarios_are_ours_and_name_nobody() -> None:
    """Numbers and hosts of documentation only: RFC 2606, and no address of a real network."""
    for path, line in itertools.chain.from_iterable(
        ((path, line) for line in path.read_text().splitlines()) for path in SCENARIOS.glob("*.xml")
    ):
        assert not re.search(r"@(?!\[|bank\.example|carrier\.example)", line), f"{path.name}: {line}"
