"""SIP over real sockets: strangers, garbage, idle and half-open connections."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
from dataclasses import replace

import pytest

from engine.telephony.sip.settings import Srtp
from tests.conftest import missing
from tests.telephony.sip_line import comes_true, descriptors, is_loud, opened, speaks, until
from tests.telephony.sip_peer import HOST, PATIENCE, options, sip_peer

OPENSSL = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"


async def test_a_stranger_gets_no_answer_at_all() -> None:
    async with (
        opened(peers=("127.0.0.1/32",)) as line,
        sip_peer(line.port, "127.0.0.2") as stranger,
        sip_peer(line.port) as friend,
    ):
        stranger.send("OPTIONS")
        friend.send("OPTIONS")
        answer = await friend.final()
        with socket.socket() as tcp:
            tcp.bind(("127.0.0.2", 0))
            tcp.setblocking(False)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.get_running_loop().sock_connect(tcp, (HOST, line.port)), 0.2)

        assert answer.status == 200
        assert stranger.messages.empty()


GARBAGE = (
    b"\x00" * 1200, os.urandom(1400), b"INVITE", b"INVITE sip:a SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"\r\n\r\n" * 200,
    b"OPTIONS sip:x@y SIP/2.0\r\nVia: " + b"A" * 1300 + b"\r\n\r\n", b"INVITE sip:%s%n%s@a SIP/2.0\r\nContent-Length: -5\r\n\r\nv=0",
    b"INVITE sip:a@b SIP/2.0\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 900,
)  # fmt: skip


async def test_garbage_hurts_nobody_and_is_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    async with opened() as line, sip_peer(line.port) as talker, sip_peer(line.port) as vandal:
        await talker.call()
        leg = await line.leg()
        for junk in GARBAGE * 5:
            vandal.say(junk)
        _, writer = await asyncio.open_connection(HOST, line.port)
        writer.write(os.urandom(100_000) + b"INVITE " * 5_000)
        broken = replace(vandal, call_id="broken")
        broken.send("INVITE", "v=0\r\nm=audio\r\n" * 100)
        speaking = asyncio.create_task(speaks(talker, 25))
        await until(leg, is_loud)
        await speaking
        for junk in (b"", b"\x80", b"\xff" * 12, os.urandom(1400), b"\x80\x88" + bytes(3000)):
            talker.rtp.sendto(junk, talker.media)
        speaking = asyncio.create_task(speaks(talker, 25))
        await until(leg, is_loud)
        await speaking
        writer.close()

        assert line.gateway.process.deaths == 0
        assert "decode err" not in "".join(capfd.readouterr())  # libre would say so for each


async def test_hundreds_of_idle_connections_leave_descriptors_and_calls_alone() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        before = descriptors(line)
        idle = [_connecting(line.port) for _ in range(300)]
        await comes_true(lambda: descriptors(line) > before)  # how many the stack takes at once is the kernel's affair
        answer = await peer.call()
        await peer.hang_up()
        for connection in idle:
            connection.close()
        await comes_true(lambda: descriptors(line) <= before + 3)

        assert answer.status == 200


def _connecting(port: int) -> socket.socket:
    """A connection that is being made; the stack takes a few at a time."""
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex((HOST, port))
    return connection


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The engine's, with its key."""
    if shutil.which("openssl") is None:
        missing("openssl")
    folder = tmp_path_factory.mktemp("tls")
    key, signed = folder / "key.pem", folder / "certificate.pem"
    subprocess.run((*OPENSSL.split(), "-keyout", key, "-out", signed), check=True, capture_output=True)
    return signed.read_text() + key.read_text()


async def test_half_open_tls_connections_do_not_keep_others_out(certificate: str) -> None:
    trusting = ssl.create_default_context(cadata=certificate.partition("-----BEGIN PRIVATE")[0])
    async with (
        opened(transports=("udp", "tls"), certificate=certificate, srtp=Srtp.OPTIONAL) as line,
        sip_peer(line.port) as peer,
    ):
        idle = [await asyncio.open_connection(HOST, line.port + 1) for _ in range(4)]
        for _, writer in idle[:3]:
            writer.write(b"\x16\x03\x01\x02\x00\x01\x00")  # the beginning of a hello, and no more
        idle[0][1].write(os.urandom(5_000))
        reader, writer = await asyncio.open_connection(HOST, line.port + 1, ssl=trusting)
        writer.write(options("TLS"))
        over_tls = await asyncio.wait_for(reader.readline(), PATIENCE)
        answer = await peer.call()
        for _, one in [*idle, (reader, writer)]:
            one.close()

        assert over_tls == b"SIP/2.0 200 OK\r\n"
        assert answer.status == 200
        assert line.gateway.process.deaths == 0
