"""The recording server on real sockets: an SBC forks calls to it over UDP and TCP, well and badly behaved."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, AudioFrame, Samples
from engine.core.units import Seconds
from engine.telephony.siprec.recording_session import RecordingSession, Rules
from engine.telephony.siprec.server import LONGEST, LOST, Invitation, SiprecServer, SiprecSettings, serve_siprec
from engine.telephony.siprec.srtp import Key
from engine.testing.parts import tone
from engine.testing.siprec_callers import METADATA, ForkingSbc, RtpStream, Sealer, both, describe

_SECOND = tone(Seconds(1.0))


@dataclass
class Tape:
    """Keeps what one call gave."""

    session: RecordingSession
    frames: list[tuple[AudioFrame, AudioFrame]] = field(default_factory=list)
    masks: list[tuple[Seconds, Seconds]] = field(default_factory=list)
    changes: int = 0
    reason: str | None = None

    def heard(self, caller: AudioFrame, agent: AudioFrame) -> None:
        assert caller.start == agent.start == len(self.frames) * FRAME_SAMPLES
        self.frames.append((caller, agent))

    def mask(self, start: Seconds, end: Seconds) -> None:
        self.masks.append((start, end))

    def changed(self) -> None:
        self.changes += 1

    def ended(self, reason: str) -> None:
        assert self.reason is None
        self.reason = reason

    def channel(self, number: int) -> Samples:
        return np.concatenate([pair[number].samples for pair in self.frames])


@dataclass
class Room:
    """A recorder that is open, its tapes, and the SBCs that call it."""

    server: SiprecServer
    tapes: list[Tape]
    sbcs: list[ForkingSbc] = field(default_factory=list)

    async def sbc(self, lines: int = 2, **kind: Any) -> ForkingSbc:
        name = f"call-{len(self.sbcs)}"
        sbc = await ForkingSbc(("127.0.0.1", self.server.ports[kind.pop("by", "TCP")]), call_id=name, tag=name, **kind).connect(
            lines
        )
        self.sbcs.append(sbc)
        return sbc


@contextlib.asynccontextmanager
async def _room(
    full: Callable[[], bool] = lambda: False, clock: Callable[[], float] = time.monotonic, **settings: Any
) -> AsyncIterator[Room]:
    tapes: list[Tape] = []

    def take(invitation: Invitation) -> Tape | None:
        if full():
            return None
        tapes.append(Tape(invitation.session))
        return tapes[-1]

    async with serve_siprec(SiprecSettings(**settings), take, full, clock) as server:
        room = Room(server, tapes)
        try:
            yield room
        finally:
            for sbc in room.sbcs:
                await sbc.close()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(FRAME)


def free_ports(count: int) -> tuple[int, int]:
    """A stretch of free UDP ports that begins with an even one."""
    for first in range(26_000 + os.getpid() % 1_000 * 2, 32_000, count):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(("127.0.0.1", port))
            except OSError:
                continue
        return first, first + count - 1
    raise AssertionError("no free ports")


def click(channel: Samples) -> float:
    return float(np.argmax(np.abs(channel.astype(np.int32)) > 12_000)) / TELEPHONY.rate_hz


@pytest.mark.parametrize("tcp", [False, True])
async def test_a_forked_call_is_heard_in_two_channels_in_sync(tcp: bool) -> None:
    sound = np.concatenate([np.zeros(6_400, np.int16), np.full(80, 16_000, np.int16), np.zeros(1_600, np.int16)])
    async with _room() as room:
        sbc = await room.sbc(tcp=tcp)
        answer = await sbc.fork()
        await sbc.speak(AudioFrame(sound), AudioFrame(sound))
        goodbye = await sbc.ask("BYE")
        tape = room.tapes[0]

        assert (answer.status, goodbye.status, tape.reason, room.server.live) == (200, 200, "hung_up", 0)
        assert len(set(sbc.ports)) == 2
        assert answer.body.count(b"a=recvonly") == 2
        assert abs(click(tape.channel(0)) - click(tape.channel(1))) <= 0.040
        assert [one.name for one in tape.session.metadata.participants.values()] == ["Robert Jones", "Michelle"]


def _certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Both ends of TLS, under a certificate made now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "recorder")])
    now = datetime.now(UTC)
    dated = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = dated.public_key(key.public_key()).serial_number(1).add_extension(names, critical=False).sign(key, hashes.SHA256())
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.pem").write_bytes(text + signed.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "tls.pem")
    return server, ssl.create_default_context(cafile=folder / "tls.pem")


async def test_a_call_comes_in_by_tls_and_its_sound_by_srtp(tmp_path: Path) -> None:
    ours, theirs = _certified(tmp_path)
    key = Key("1", "AES_CM_128_HMAC_SHA1_80", bytes(range(30)))
    async with _room(tls=ours, transports=(), rules=Rules(plain=False)) as room:
        sbc = await room.sbc(by="TLS", tls=theirs)
        plain = await sbc.invite(describe(sbc.media_ports).encode())
        answer = await sbc.invite(describe(sbc.media_ports, key=key).encode())
        streams, sealers = [RtpStream(ssrc=1), RtpStream(ssrc=2)], [Sealer(key), Sealer(key)]
        for n in range(20):  # the numbers begin anew after the fifth
            for line, (stream, sealer) in enumerate(zip(streams, sealers, strict=True)):
                sbc.send(line, sealer.seal(stream.packet(tone(FRAME).samples), int(n > 4)))
        sbc.send(0, streams[0].packet(tone(FRAME).samples))
        await _until(lambda: room.tapes[0].session.counts.foreign == 1)
        goodbye = await sbc.ask("BYE")

        assert (plain.status, answer.status, goodbye.status) == (488, 200, 200)
        assert "SRTP" in (plain.fields.first("warning") or "")
        assert ";transport=tls>" in (answer.fields.first("contact") or "")
        assert answer.body.count(b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:") == 2
        assert base64.b64encode(bytes(range(30))) not in answer.body
        assert room.tapes[0].session.counts.received == 40


async def test_hold_pause_and_transfer_go_through_one_call() -> None:
    async with _room() as room:
        sbc = await room.sbc()
        first = await sbc.fork()
        paused = await sbc.invite(describe(sbc.media_ports, direction="inactive", version=2).encode())
        await sbc.speak(tone(Seconds(0.4)), tone(Seconds(0.4)))
        kind, body = both(describe(sbc.media_ports, version=3), METADATA.replace("Michelle", "Bob"))
        resumed = await sbc.invite(body, kind)
        news = await sbc.ask("UPDATE", METADATA.encode(), "application/rs-metadata+xml")
        refresh = await sbc.ask("UPDATE")
        await sbc.speak(_SECOND, _SECOND)
        await sbc.ask("BYE")
        tape = room.tapes[0]

        assert paused.body.count(b"a=inactive") == resumed.body.count(b"a=recvonly") == 2
        assert (news.status, news.body, refresh.status) == (200, b"", 200)
        assert sbc.ports == [int(line.split()[1]) for line in first.body.decode().splitlines() if line.startswith("m=")]
        assert tape.changes == 4
        assert [note.kind for note in tape.session.notes if note.kind in ("paused", "resumed")] == ["paused"] * 2 + [
            "resumed"
        ] * 2
        silent = tape.channel(0)[: TELEPHONY.samples(Seconds(0.35))]
        assert not silent.any()
        assert (np.abs(tape.channel(1)) > 1000).sum() > 4_000


async def test_keys_are_told_with_their_span_before_their_sound_is_given() -> None:
    async with _room() as room:
        sbc = await room.sbc()
        await sbc.fork()
        stream = RtpStream()
        for _ in range(5):
            sbc.send(0, stream.packet(np.zeros(160, np.int16)))
        sbc.send(0, stream.key(7, 160))
        await _until(lambda: bool(room.tapes[0].masks))
        given = len(room.tapes[0].frames) * FRAME
        start, end = room.tapes[0].masks[0]

        assert start > given
        assert end - start == pytest.approx(0.02)


async def test_when_full_the_sbc_is_refused_and_live_calls_go_on() -> None:
    full: list[bool] = []
    async with _room(full=lambda: bool(full)) as room:
        one, other = await room.sbc(), await room.sbc()
        await one.fork()
        full.append(True)
        refused = await other.fork()
        await one.speak(tone(Seconds(0.3)), tone(Seconds(0.3)))
        goodbye = await one.ask("BYE")

        assert (refused.status, refused.fields.first("retry-after"), goodbye.status) == (503, "10", 200)
        assert room.tapes[0].channel(0).any()


async def test_when_the_ports_are_used_up_the_next_call_is_refused_and_its_end_gives_them_back() -> None:
    async with _room(rtp_ports=free_ports(4)) as room:
        one, other = await room.sbc(), await room.sbc()
        first = await one.fork()
        refused = await other.fork()
        await one.ask("BYE")
        taken = await other.invite(describe(other.media_ports).encode())

        assert (first.status, refused.status, taken.status) == (200, 503, 200)
        assert [port % 2 for port in other.ports] == [0, 0]


async def test_a_call_whose_bye_was_lost_ends_and_the_sbc_is_told() -> None:
    ahead = [0.0]
    async with _room(clock=lambda: time.monotonic() + ahead[0]) as room:
        sbc = await room.sbc()
        await sbc.fork()
        await sbc.speak(tone(Seconds(0.2)), tone(Seconds(0.2)))
        ahead[0] = LOST + 1
        await _until(lambda: bool(sbc.requests))

        assert room.tapes[0].reason == "lost"
        assert [request.method for request in sbc.requests] == ["BYE"]


async def test_a_paused_call_is_not_lost_but_no_call_is_longer_than_the_longest() -> None:
    ahead = [0.0]
    async with _room(clock=lambda: time.monotonic() + ahead[0]) as room:
        sbc = await room.sbc()
        await sbc.fork()
        await sbc.invite(describe(sbc.media_ports, direction="inactive", version=2).encode())
        ahead[0] = 10 * LOST
        await _until(lambda: len(room.tapes[0].frames) > 500)  # ten beats: it was looked at
        still_there = room.tapes[0].reason is None
        ahead[0] = LONGEST + 1
        await _until(lambda: room.tapes[0].reason is not None)

        assert still_there
        assert room.tapes[0].reason == "too_long"


async def test_when_the_recorder_stops_every_sbc_is_told_and_nothing_heard_is_lost() -> None:
    async with _room() as room:
        sbc = await room.sbc()
        await sbc.fork()
        await sbc.speak(_SECOND, _SECOND)
        await room.server.close()
        tape = room.tapes[0]

        assert tape.reason == "shutdown"
        assert [request.method for request in sbc.requests] == ["BYE"]
        assert (np.abs(tape.channel(0)) > 1000).sum() > 0.7 * 8_000


async def test_strangers_are_refused_over_udp_and_cut_off_over_tcp() -> None:
    async with _room(admits=lambda _: False) as room:
        udp, tcp = await room.sbc(), await room.sbc(tcp=True)
        refused = await udp.fork()
        tcp.say(tcp.request("OPTIONS", number=1))
        assert tcp._reader is not None
        await asyncio.wait_for(asyncio.wait([tcp._reader]), 5)

        assert refused.status == 403
        assert room.tapes == []


@pytest.mark.parametrize(
    ("offer", "status"),
    [
        (b"hello", 400),
        (b"", 488),
        (describe([4000]).replace("RTP/AVP", "RTP/SAVP").encode(), 488),
        (b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n", 488),
    ],
)
async def test_what_we_can_not_record_is_refused_with_a_reason(offer: bytes, status: int) -> None:
    async with _room() as room:
        answer = await (await room.sbc()).invite(offer)

        assert answer.status == status
        assert status != 488 or "expected" in (answer.fields.first("warning") or "")
        assert room.tapes == []


async def test_a_change_to_what_we_can_not_hear_is_refused_and_the_call_goes_on_as_it_was() -> None:
    async with _room() as room:
        sbc = await room.sbc()
        await sbc.fork()
        refused = await sbc.invite(describe(sbc.media_ports, version=2).replace(" 18 0 8 ", " 18 ").encode())
        await sbc.speak(tone(Seconds(0.3)), tone(Seconds(0.3)))
        goodbye = await sbc.ask("BYE")

        assert (refused.status, goodbye.status) == (488, 200)
        assert room.tapes[0].session.counts.received == 30


async def test_a_fault_of_ours_ends_its_own_call_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async with _room() as room:
        one, other = await room.sbc(), await room.sbc()
        await one.fork()
        await other.fork()
        room.tapes[0].frames = [(tone(FRAME), tone(FRAME))] * 999  # so that its next frame is out of order
        await _until(lambda: bool(one.requests))
        await other.speak(tone(Seconds(0.3)), tone(Seconds(0.3)))
        goodbye = await other.ask("BYE")

        assert (room.tapes[0].reason, room.tapes[1].reason, goodbye.status) == ("fault", "hung_up", 200)
        assert room.tapes[1].channel(0).any()
        assert "AssertionError" in caplog.text


async def test_sound_from_elsewhere_and_garbage_are_passed_over() -> None:
    async with _room(lost=Seconds(0.5)) as room:
        sbc = await room.sbc()
        await sbc.invite(describe(sbc.media_ports, host="192.0.2.1").encode())
        loop = asyncio.get_running_loop()
        stranger, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.2", 0))
        for n in range(300):
            stranger.sendto(RtpStream().packet(_SECOND.samples[:160]), ("127.0.0.1", sbc.ports[0]))
            sbc.send(
                0, (b"\x40" + os.urandom(n))[:n]
            )  # RTP has another version: one in some thousands of random packets is right
        await _until(lambda: room.tapes[0].reason is not None)
        stranger.close()

        assert room.tapes[0].session.counts.received == 0
        assert room.tapes[0].session.counts.foreign > 100  # the system drops some of a burst
        assert room.tapes[0].reason == "lost"


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_garbage_on_the_sip_port_and_half_open_connections_cost_nobody_anything() -> None:
    before = _descriptors()
    async with _room() as room:
        good, noisy = await room.sbc(), await room.sbc()
        await good.fork()
        idle = [await asyncio.open_connection("127.0.0.1", room.server.ports["TCP"]) for _ in range(300)]
        for n in range(500):
            noisy.say(os.urandom(n % 900))
        noisy.say(b"INVITE sip:x SIP/2.0\r\n\r\n")
        idle[0][1].write(b"GET / HTTP/1.1\r\n\r\n")
        closed = await asyncio.wait_for(idle[0][0].read(), 5)
        await good.speak(tone(Seconds(0.3)), tone(Seconds(0.3)))
        goodbye = await good.ask("BYE")
        for _, writer in idle:
            writer.close()

        assert closed == b""
        assert goodbye.status == 200
        assert (np.abs(room.tapes[0].channel(0)) > 1000).sum() > 1_500
        assert len(room.tapes) == 1
    await asyncio.sleep(0.1)

    assert _descriptors() <= before + 1


async def test_twenty_calls_at_once_are_all_heard() -> None:
    async with _room() as room:
        sbcs = [await room.sbc(tcp=n % 2 == 1) for n in range(20)]
        answers = await asyncio.gather(*(sbc.fork() for sbc in sbcs))
        await asyncio.gather(*(sbc.speak(tone(Seconds(0.4)), tone(Seconds(0.4))) for sbc in sbcs))
        await asyncio.gather(*(sbc.ask("BYE") for sbc in sbcs))

        assert {answer.status for answer in answers} == {200}
        assert {tape.session.counts.received for tape in room.tapes} == {40}
