"""Connections that say nothing, too little or too slowly: they are closed, nothing is left of them, and callers notice nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from engine.config import HttpDoor
from engine.core.units import Seconds
from engine.server.doors import arrivals
from engine.server.doors.arrivals import PromptHttp
from engine.telephony import sockets
from engine.testing.asterisk_ws_caller import AsteriskWsCaller
from engine.testing.parts import tone
from tests.server.doubles import EchoEngine, connections, opened
from tests.server.test_gate import Authority, encrypted

SOON = 0.4  # seconds; as long as the peers of these tests may take to say what they want
IDLE = 500
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "GREETING", SOON)
    monkeypatch.setattr(sockets, "GREETING", SOON)


@pytest.fixture
def many_files() -> None:
    wanted, (soft, hard) = 4 * IDLE, resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def protocols() -> int:
    return sum(isinstance(one, PromptHttp) for one in gc.get_objects())


async def line(doors: dict[str, str], said: bytes = b"") -> Line:
    parts = urlsplit(doors["health"])
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(said)
    return reader, writer


async def answer(one: Line) -> bytes:
    """All that the door says until it closes."""
    try:
        return await asyncio.wait_for(one[0].read(), 10)
    except ConnectionResetError:
        return b""
    finally:
        one[1].close()


async def hears_itself(caller: AsteriskWsCaller) -> None:
    spoke = caller.now
    await caller.say(tone(Seconds(0.1)))
    await caller.hears(spoke, within=Seconds(5.0))


@contextlib.asynccontextmanager
async def echoing(door: HttpDoor) -> AsyncIterator[dict[str, str]]:
    async with opened(EchoEngine(door)) as doors:
        yield doors


@pytest.mark.usefixtures("hurried", "many_files")
async def test_five_hundred_sockets_that_say_nothing_leave_nothing_behind_and_a_call_goes_on() -> None:
    door = HttpDoor(port=0, connections=2 * IDLE, connections_per_peer=2 * IDLE)
    async with echoing(door) as doors, AsteriskWsCaller.calling(doors["asterisk"]) as caller:
        await hears_itself(caller)
        gc.collect()
        before = connections(), protocols()
        idle = [await line(doors) for _ in range(IDLE)]
        at_once = connections() - before[0]
        said = await asyncio.gather(*map(answer, idle))
        idle.clear()
        for _ in range(50):
            gc.collect()
            await asyncio.sleep(0.02)
            if connections() <= before[0]:
                break
        await hears_itself(caller)

        assert at_once > IDLE  # both ends are ours, and the first may be closed before the last has come
        assert set(said) == {b""}
        assert (connections(), protocols()) == before


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    "said",
    [
        b"G",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"POST /api/v1/calls HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\n{",
    ],
)
async def test_half_a_request_is_not_waited_for(said: bytes) -> None:
    async with echoing(HttpDoor(port=0)) as doors:
        assert b" 200 " not in await answer(await line(doors, said))


@pytest.mark.usefixtures("hurried")
async def test_a_request_that_trickles_in_is_cut_off_all_the_same() -> None:
    async with echoing(HttpDoor(port=0)) as doors:
        one = await line(doors)

        async def trickle() -> None:
            for octet in b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 1000:
                one[1].write(bytes([octet]))
                await asyncio.sleep(SOON / 10)

        trickling = asyncio.create_task(trickle())

        assert await answer(one) == b""
        trickling.cancel()


@pytest.mark.usefixtures("hurried")
async def test_a_connection_may_ask_again_while_it_is_kept() -> None:
    async with echoing(HttpDoor(port=0)) as doors, httpx.AsyncClient() as client:
        assert [(await client.get(doors["health"])).status_code for _ in range(3)] == [200] * 3


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("path", ["twilio", "asterisk", "freeswitch", "phone/ws"])
async def test_a_socket_that_never_says_who_calls_is_closed_with_a_reason(path: str) -> None:
    engine = EchoEngine(HttpDoor(port=0))
    async with opened(engine) as doors:
        address = f"ws://{urlsplit(doors['phone']).netloc}/{path}"
        async with connect(address, compression=None, additional_headers=engine.signed_in()) as socket:
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)

        assert socket.close_code == 1008
        assert str(socket.close_reason).startswith("expected the start of ")


@pytest.mark.parametrize("setting", ["connections", "connections_per_peer"])
async def test_one_connection_too_many_is_told_and_the_next_one_after_somebody_left_is_not(setting: str) -> None:
    async with echoing(HttpDoor(port=0, **{setting: 3})) as doors, AsteriskWsCaller.calling(doors["asterisk"]):
        kept = [await line(doors) for _ in range(2)]
        await asyncio.sleep(0)
        refused = await answer(await line(doors, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
        for _, writer in kept:
            writer.close()
            await writer.wait_closed()
        served = b""
        for _ in range(100):  # until the door has seen them go
            served = await answer(await line(doors, b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"))
            if b" 200 " in served:
                break

        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5\r\n" in refused
        assert served.startswith(b"HTTP/1.1 200 ")


@pytest.mark.usefixtures("hurried")
async def test_a_handshake_that_is_never_made_is_not_waited_for_and_counts(tmp_path: Path) -> None:
    door = encrypted(Authority(tmp_path), clients=False).model_copy(update={"connections": 2})
    async with echoing(door) as doors:
        silent = [await line(doors), await line(doors)]
        await asyncio.sleep(0.05)
        third = asyncio.create_task(answer(await line(doors)))
        done, _ = await asyncio.wait([third], timeout=SOON / 2)

        assert third in done
        assert [await answer(one) for one in silent] == [b"", b""]


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00", b"\x00" * 9000, b"GET / HTTP/9.9\r\n\r\n", b"A" * 100_000, b"\r\n\r\n", b"GET\r\n"]
)
async def test_what_is_no_http_is_answered_and_closed(garbage: bytes) -> None:
    async with echoing(HttpDoor(port=0)) as doors:
        answered = await answer(await line(doors, garbage + b"\r\n\r\n"))

        assert answered == b"" or answered.startswith(b"HTTP/1.1 4")
        assert b"200" not in answered.split(b"\r\n")[0]


FLOODS = {
    "pings": b"\x89\x80\x00\x00\x00\x00" * 200_000,
    "a message without an end": b"\x01\x80\x00\x00\x00\x00" + b"\x00\x80\x00\x00\x00\x00" * 200_000,
    "empty messages": b"\x81\x80\x00\x00\x00\x00" * 200_000,
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_of_tiny_frames_ends_its_own_socket_and_no_other(flood: str) -> None:
    async with echoing(HttpDoor(port=0)) as doors, AsteriskWsCaller.calling(doors["asterisk"]) as neighbour:
        await hears_itself(neighbour)
        upgrade = b"GET /twilio HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        one = await line(doors, upgrade + key)
        await one[0].readuntil(b"\r\n\r\n")
        one[1].write(FLOODS[flood])
        await answer(one)  # it waits for the end of the connection; a cut one loses its last words
        await hears_itself(neighbour)

        assert not neighbour.over.is_set()
