"""The doors over real sockets: what is refused, and that what one peer does wrong hurts nobody else."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine.config import AudioSocketDoor, HttpDoor
from engine.core.errors import ConfigError
from engine.core.units import Seconds
from engine.server import app
from engine.store.accounts import Actor
from engine.testing.audiosocket_caller import AudioSocketCaller
from engine.testing.browser_caller import BrowserCaller
from engine.testing.caller import Caller
from engine.testing.parts import tone
from engine.testing.twilio_caller import TwilioCaller
from tests.server.doubles import EchoEngine, house_at, opened

LONG = "x" * 70_000
GARBAGE: tuple[str | bytes, ...] = (
    "", "{}", "[]", "null", "not json", '{"event": 7}', '{"event": "media", "media": {"payload": "###"}}',
    '{"event": "start"}', '{"event": "start", "start": {"mediaFormat": {"encoding": "opus"}}}', '{"event":' * 5000, LONG,
    b"", b"\x00", b"\x00\x01\x02", os.urandom(4096), b"\xff" * 66_000,
)  # fmt: skip


def _browser(doors: dict[str, str]) -> str:
    return doors["phone"].replace("http://", "ws://") + "/ws"


def _audiosocket(doors: dict[str, str]) -> tuple[str, int]:
    parts = urlsplit(doors["audiosocket"])
    return str(parts.hostname), int(parts.port or 0)


async def got(address: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(address)


async def _hears_itself(caller: Caller) -> None:
    before = caller.now
    await caller.say(tone(Seconds(0.1)))
    await caller.hears(before, within=Seconds(5.0))


async def test_the_doors_say_where_they_are_and_how_they_are_protected() -> None:
    engine = EchoEngine()
    shown = engine.signed_in()
    async with opened(engine) as doors, httpx.AsyncClient(headers=shown) as client:
        assert set(doors) == {"phone", "twilio", "asterisk", "freeswitch", "api", "health", "metrics", "audiosocket"}
        assert (await got(doors["health"])).status_code == 200
        assert (await client.get(doors["phone"])).text.startswith("<!doctype html>")


async def test_calls_come_through_every_door() -> None:
    engine = EchoEngine()
    async with opened(engine) as doors:
        async with TwilioCaller.calling(doors["twilio"]) as caller:
            await _hears_itself(caller)
        async with BrowserCaller.calling(_browser(doors), engine.signed_in()) as caller:
            await _hears_itself(caller)
        async with AudioSocketCaller.calling(*_audiosocket(doors)) as caller:
            await _hears_itself(caller)


async def test_the_page_says_in_which_language_it_calls_and_only_the_flows_count() -> None:
    engine = EchoEngine()
    async with opened(engine) as doors:
        for language in ("en", "xx", "%00"):
            async with BrowserCaller.calling(f"{_browser(doors)}?language={language}", engine.signed_in()) as caller:
                await caller.ready.wait()
                await caller.press("#")
                await caller.over.wait()

    assert engine.spoken == ["en", None, None]


async def test_the_page_sees_what_happens_in_its_call() -> None:
    engine = EchoEngine()
    async with opened(engine) as doors, BrowserCaller.calling(_browser(doors), engine.signed_in()) as caller:
        await caller.ready.wait()
        await caller.press("5#")
        await caller.over.wait()

    assert [message["text"] for message in caller.messages if message["event"] == "step"] == ["[5]"]


@pytest.mark.parametrize("door", ["twilio", "browser"])
@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null", "http://127.0.0.1.evil.example"])
async def test_a_page_from_elsewhere_can_not_call(door: str, origin: str) -> None:
    engine = EchoEngine()
    async with opened(engine) as doors:
        with pytest.raises(InvalidStatus, match="403"):
            await connect(
                {"twilio": doors["twilio"], "browser": _browser(doors)}[door],
                origin=origin,  # type: ignore[arg-type]
                additional_headers=engine.signed_in(),
            )

    assert engine.spoken == []


async def test_our_own_page_can_call() -> None:
    engine = EchoEngine()
    async with opened(engine) as doors:
        here = urlsplit(doors["phone"]).netloc
        shown = engine.signed_in()
        async with connect(_browser(doors), origin=f"http://{here}", additional_headers=shown) as phone:  # type: ignore[arg-type]
            await phone.send('{"event": "start"}')

            assert json.loads(await phone.recv())["event"] == "ready"


@pytest.mark.parametrize("door", ["twilio", "browser"])
async def test_garbage_ends_its_own_call_and_no_other(door: str) -> None:
    engine = EchoEngine()
    async with opened(engine) as doors, TwilioCaller.calling(doors["twilio"]) as neighbour:
        address, shown = {"twilio": doors["twilio"], "browser": _browser(doors)}[door], engine.signed_in()
        await asyncio.gather(*(_poured(address, [one], shown) for one in GARBAGE), _poured(address, GARBAGE, shown))

        await _hears_itself(neighbour)
        assert (await got(doors["health"])).status_code == 200


async def _poured(address: str, messages: tuple[str | bytes, ...] | list[str | bytes], shown: dict[str, str]) -> None:
    """Connect, say this, hang up."""
    try:
        async with connect(address, max_size=None, additional_headers=shown) as peer:
            for message in messages:
                await peer.send(message)
    except ConnectionClosed:
        pass


@pytest.mark.parametrize(
    "octets", [b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff", b"\x01\x00\x10", b"\x00\x00\x00", os.urandom(9000)]
)
async def test_garbage_at_the_audiosocket_hurts_no_other_call(octets: bytes) -> None:
    async with opened(EchoEngine()) as doors, AudioSocketCaller.calling(*_audiosocket(doors)) as neighbour:
        _, writer = await asyncio.open_connection(*_audiosocket(doors))
        writer.write(octets)
        writer.close()

        await _hears_itself(neighbour)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "bank.example"])
@pytest.mark.parametrize("section", ["http", "audiosocket"])
async def test_a_door_without_a_password_does_not_open_beyond_loopback(section: str, host: str) -> None:
    open_to_all = AudioSocketDoor(host=host, announced_only=False)
    engine = EchoEngine(HttpDoor(host=host)) if section == "http" else EchoEngine(audiosocket=open_to_all)

    with pytest.raises(ConfigError, match=rf'doors.{section}: expected a loopback address, found {host}.*unprotected = "i know"'):
        async with opened(engine):
            pass


async def test_who_says_so_may_open_it_all_the_same() -> None:
    http = HttpDoor(host="0.0.0.0", port=0, unprotected="i know")
    async with opened(EchoEngine(http)) as doors:
        port = urlsplit(doors["health"]).port

        assert (await got(f"http://127.0.0.1:{port}/healthz")).text == "alive"


@pytest.mark.parametrize("section", ["http", "audiosocket"])
async def test_a_port_that_is_taken_is_told_with_its_setting(section: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        engine = EchoEngine(HttpDoor(port=port)) if section == "http" else EchoEngine(audiosocket=AudioSocketDoor(port=port))

        with pytest.raises(ConfigError, match=rf"doors.{section}: expected to listen on 127.0.0.1:{port}, found: .*in use"):
            async with opened(engine):
                pass


async def test_who_is_signed_in_no_longer_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_LOOKED_AFTER", 0.05)
    engine = EchoEngine()
    async with opened(engine) as doors, BrowserCaller.calling(_browser(doors), engine.signed_in()) as caller:
        await caller.ready.wait()
        with house_at(engine.config.store.database) as house:
            house.accounts.switch(Actor("shell:test"), "anna", disabled=True)

        await asyncio.wait_for(caller.over.wait(), 10)
