"""Who may come in by HTTP, and that everybody else is told so before anything is accepted."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine.config import HttpDoor
from engine.core.errors import ConfigError
from engine.server.token import Token
from engine.testing.asterisk_ws_caller import AsteriskWsCaller
from engine.testing.freeswitch_caller import FreeSwitchCaller
from engine.testing.twilio_caller import TwilioCaller
from tests.server.doubles import EchoEngine, opened

TOKEN = "kept-in-a-file-of-its-own"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"asterisk:{TOKEN}".encode()).decode()}


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="ascii")
    return file


@contextlib.asynccontextmanager
async def guarded(token_file: Path, hosts: tuple[str, ...] = ()) -> AsyncIterator[dict[str, str]]:
    async with opened(EchoEngine(HttpDoor(port=0, token_file=token_file, hosts=hosts))) as doors:
        yield doors


def page_of(doors: dict[str, str]) -> str:
    """A page that strangers may open."""
    return doors["phone"].replace("/phone", "/sign-in")


async def status(address: str, headers: Mapping[str, str] = {}) -> int:
    """Of a request, or of a WebSocket's handshake."""
    if address.startswith("http"):
        async with httpx.AsyncClient() as client:
            return (await client.get(address, headers=dict(headers))).status_code
    try:
        async with connect(address, additional_headers=headers, compression=None):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize("door", ["asterisk", "freeswitch", "metrics"])
async def test_without_the_token_nothing_is_opened(door: str, token_file: Path) -> None:
    async with guarded(token_file) as doors:
        scheme = "http" if door == "metrics" else "ws"
        address = f"{scheme}://{urlsplit(doors['phone']).netloc}/{door}"
        fine = 200 if door == "metrics" else 101

        assert await status(address) == 401
        assert await status(address, {"Authorization": "Bearer guessed-guessed-guessed"}) == 401
        assert await status(address, {"Authorization": "Basic %%%"}) == 401
        assert await status(f"{address}?token=guessed") == 401
        assert await status(address, BEARER) == fine
        assert await status(address, BASIC) == fine
        assert await status(f"{address}?token={TOKEN}") == fine


async def test_the_refusal_says_what_was_expected_and_not_what_was_shown(token_file: Path) -> None:
    async with guarded(token_file) as doors, httpx.AsyncClient() as client:
        answer = await client.get(doors["metrics"], headers={"Authorization": "Bearer guessed-guessed"})

    assert answer.text == "Expected somebody who has signed in, or a machine's token; found neither.\n"
    assert answer.headers["www-authenticate"] == 'Bearer realm="callwright"'


async def test_what_shows_no_secret_stays_open(token_file: Path) -> None:
    async with guarded(token_file) as doors:
        home = doors["phone"].removesuffix("/phone")

        for path in ("/sign-in", "/static/phone.js", "/healthz", "/readyz"):
            assert await status(home + path) == 200


async def test_calls_that_show_the_token_come_through_every_door(token_file: Path) -> None:
    async with guarded(token_file) as doors:
        async with TwilioCaller.calling(doors["twilio"], token=TOKEN) as caller:
            await caller.press("#")
            await caller.over.wait()
        async with AsteriskWsCaller.calling(doors["asterisk"], token=TOKEN) as caller:
            await caller.press("#")
            await caller.over.wait()
        async with FreeSwitchCaller.calling(doors["freeswitch"], token=TOKEN) as caller:
            await caller.press("#")
            await caller.over.wait()


async def test_twilio_is_refused_at_its_start_and_told_why(token_file: Path) -> None:
    async with guarded(token_file) as doors, connect(doors["twilio"]) as socket:
        await socket.send('{"event":"start","streamSid":"M","start":{"customParameters":{"token":"guessed"}}}')
        with contextlib.suppress(ConnectionClosed):
            await socket.recv()

        assert (socket.close_code, socket.close_reason) == (1008, "expected this door's token in the custom parameter token")


async def test_a_twilio_stream_that_has_shown_the_token_before_need_not_again(token_file: Path) -> None:
    async with guarded(token_file) as doors, TwilioCaller.calling(f"{doors['twilio']}?token={TOKEN}") as caller:
        await caller.press("#")
        await asyncio.wait_for(caller.over.wait(), 5)


@pytest.mark.parametrize("text", ["", "short", "with a space in the midst", "не ASCII, но длинный токен"])
def test_a_file_that_holds_no_token_is_the_operators_error(text: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(
        ConfigError, match=r"doors.http.token_file: expected 16 or more ASCII characters without a space"
    ) as wrong:
        Token.read("doors.http.token_file", file)
    assert text == "" or text not in str(wrong.value)


def test_a_file_that_is_not_there_is_the_operators_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a readable file at"):
        Token.read("doors.http.token_file", tmp_path / "none")


async def test_a_name_that_is_not_ours_is_refused_so_that_nobody_can_rebind_theirs() -> None:
    """A page of evil.example whose name now points to 127.0.0.1 is of the same origin, as its browser sees it."""
    async with opened(EchoEngine()) as doors:
        for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "", "[", "localhost.evil.example"):
            page = {"Host": host, "Origin": f"http://{host}"}

            assert await status(page_of(doors), {"Host": host}) == 403
            assert await handshake(doors["phone"], "/phone/ws", page) == 403
            assert await handshake(doors["phone"], "/twilio", page) == 403


async def test_names_that_are_ours_are_known() -> None:
    async with opened(EchoEngine(HttpDoor(port=0, hosts=("voice.bank.example",)))) as doors:
        for host in ("127.0.0.1", "localhost:8080", "[::1]:8080", "10.1.2.3", "voice.bank.example", "VOICE.bank.example:443"):
            assert await status(page_of(doors), {"Host": host}) == 200
            assert await handshake(doors["phone"], "/asterisk", {"Host": host, "Origin": f"http://{host}"}) == 101


async def test_a_proxy_may_call_this_door_by_another_name_than_the_page_does() -> None:
    async with opened(EchoEngine(HttpDoor(port=0, hosts=("voice.bank.example",)))) as doors:
        proxied = {"Host": "10.1.2.3:8080", "Origin": "https://voice.bank.example"}

        assert await handshake(doors["phone"], "/asterisk", proxied) == 101


async def test_who_watches_our_health_may_call_us_by_any_name() -> None:
    async with opened(EchoEngine()) as doors:
        assert await status(doors["health"], {"Host": "engine-7.pods.example"}) == 200


async def handshake(address: str, path: str, headers: Mapping[str, str]) -> int:
    """The status of a WebSocket's handshake with headers that no client of good faith can send."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    lines = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    sent = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **headers}.items())
    writer.write(f"GET {path} HTTP/1.1\r\n{sent}\r\n".encode())
    answer = await reader.readline()
    writer.close()
    return int(answer.split()[1])


@pytest.mark.parametrize(("peers", "answer"), [(("127.0.0.0/8",), 200), (("192.0.2.0/24",), 403)])
async def test_only_peers_of_the_named_networks_come_in(peers: tuple[str, ...], answer: int) -> None:
    async with opened(EchoEngine(HttpDoor(port=0, peers=peers))) as doors:  # type: ignore[arg-type]
        assert await status(doors["health"]) == answer


class Authority:
    """Signs certificates for one test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the bank's own")])
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._signed(self._name, self._key, authority=True).public_bytes(serialization.Encoding.PEM))

    def signed(self, name: str) -> tuple[Path, Path]:
        """A certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate, secret = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate.write_bytes(self._signed(subject, key).public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
        return certificate, secret

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool = False) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(names, critical=False)
            .sign(self._key, hashes.SHA256())
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def encrypted(authority: Authority, *, clients: bool) -> HttpDoor:
    certificate, key = authority.signed("engine")
    return HttpDoor(port=0, tls_certificate=certificate, tls_key=key, tls_clients=authority.file if clients else None)


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.file))


async def test_a_call_over_tls(authority: Authority) -> None:
    async with opened(EchoEngine(encrypted(authority, clients=False))) as doors:
        address = doors["asterisk"].replace("127.0.0.1", "localhost")
        async with connect(address, ssl=trusting(authority), subprotocols=["media"], compression=None) as socket:  # type: ignore[list-item]
            await socket.send("MEDIA_START connection_id:c channel:WebSocket/x format:ulaw optimal_frame_size:160")

            assert await socket.recv() == "ANSWER"
            assert socket.subprotocol == "media"
        assert address.startswith("wss://")


async def test_only_who_has_a_certificate_of_the_banks_comes_in(authority: Authority, tmp_path: Path) -> None:
    async with opened(EchoEngine(encrypted(authority, clients=True))) as doors:
        address = doors["health"].replace("127.0.0.1", "localhost")
        known, stranger = trusting(authority), trusting(authority)
        known.load_cert_chain(*authority.signed("asterisk"))
        (tmp_path / "other").mkdir()
        stranger.load_cert_chain(*Authority(tmp_path / "other").signed("stranger"))
        async with httpx.AsyncClient(verify=known) as client:
            assert (await client.get(address)).status_code == 200
        for context in (trusting(authority), stranger):
            async with httpx.AsyncClient(verify=context) as client:
                with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
                    await client.get(address)


async def test_plain_words_at_an_encrypted_door_get_no_answer(authority: Authority) -> None:
    async with opened(EchoEngine(encrypted(authority, clients=False))) as doors:
        parts = urlsplit(doors["health"])
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert b"HTTP" not in await asyncio.wait_for(reader.read(), 5)
        writer.close()


async def test_files_that_are_no_certificates_are_the_operators_error(tmp_path: Path) -> None:
    file = tmp_path / "wrong.pem"
    file.write_text("no certificate", encoding="ascii")

    with pytest.raises(ConfigError, match=r"doors.http.tls_certificate: expected PEM files .* in .*wrong.pem"):
        async with opened(EchoEngine(HttpDoor(port=0, tls_certificate=file, tls_key=file))):
            pass
