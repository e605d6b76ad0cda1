"""The AudioSocket door and the API beside it, over real sockets: which calls come in, and what is told of them afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
import structlog

from engine.config import AudioSocketDoor, HttpDoor
from engine.core.call import CallFacts
from engine.core.errors import ConfigError
from engine.core.units import Language, Seconds
from engine.runtime.watch import Watch
from engine.telephony.audiosocket.frames import Frame, Kind
from engine.telephony.leg import Gone, Key, Leg
from engine.testing.audiosocket_caller import AudioSocketCaller
from engine.testing.parts import tone
from tests.server.doubles import EchoEngine, connections, opened

TOKEN = "a-token-of-the-bank-0001"
NAME = UUID("40325ec2-5efd-4bd3-805f-53576e581d13")


class Bank(EchoEngine):
    """Notes what it knows of calls; hands one over at ``*``."""

    facts: CallFacts

    async def take(self, leg: Leg, language: Language | None = None, watch: Watch | None = None) -> str:
        self.facts = leg.facts
        while not isinstance(received := await leg.receive(), Gone):
            if isinstance(received, Key) and received.code == ord("*"):
                await leg.transfer("cards", {"intent": "card_block", "verified": "yes", "last_words": "card 4417"})
            elif isinstance(received, Key):
                return "completed"
        return received.reason


@pytest.fixture
def http(tmp_path: Path) -> HttpDoor:
    file = tmp_path / "api.token"
    file.write_text(TOKEN)
    return HttpDoor(port=0, token_file=file)


async def asked(method: str, address: str, fields: Mapping[str, str] | None = None) -> httpx.Response:
    """As a dialplan asks: with forms."""
    accept = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    async with httpx.AsyncClient(headers=accept) as client:
        return await client.request(method, address, data=fields)


def place(doors: Mapping[str, str]) -> tuple[str, int]:
    parts = urlsplit(doors["audiosocket"])
    return str(parts.hostname), int(parts.port or 0)


async def refused(doors: Mapping[str, str], name: UUID) -> bool:
    """Whether a call of that name is hung up at once."""
    async with AudioSocketCaller.calling(*place(doors), name) as caller:
        try:
            await asyncio.wait_for(caller.over.wait(), 0.3)
        except TimeoutError:
            return False
        return True


async def test_what_was_announced_of_a_call_reaches_the_engine_and_where_it_goes_reaches_the_dialplan(http: HttpDoor) -> None:
    engine = Bank(http, AudioSocketDoor(port=0, announced_only=True))
    fields = {
        "uuid": str(NAME),
        "caller_number": "+79161234567",
        "called_number": "+74951112233",
        "language": "en",
        "flow": "main",
    }
    async with opened(engine) as doors:
        announced = await asked("POST", doors["api"], fields)
        async with AudioSocketCaller.calling(*place(doors), NAME) as caller:
            await caller.press("*")
            await asyncio.wait_for(caller.over.wait(), 5)
        outcome = (await asked("GET", f"{doors['api']}/{NAME}/outcome")).json()

    assert announced.status_code == 201
    known = engine.facts
    assert (known.door, known.peer_id, known.flow, known.language) == ("audiosocket", str(NAME), "main", "en")
    assert (known.caller_number, known.called_number) == ("+79161234567", "+74951112233")
    assert known.id.startswith(f"{NAME}-")
    assert (outcome["outcome"], outcome["destination"]) == ("transferred", "cards")
    assert outcome["context"] == {"intent": "card_block", "verified": "yes", "last_words": "card •"}


async def test_a_call_nobody_announced_is_hung_up_and_the_log_says_why(http: HttpDoor) -> None:
    engine = Bank(http, AudioSocketDoor(port=0, announced_only=True))
    with structlog.testing.capture_logs() as lines:
        async with opened(engine) as doors:
            assert await refused(doors, NAME)

    line = next(line for line in lines if line["event"] == "audiosocket.refused")
    assert (line["call"], line["peer"]) == (str(NAME), "127.0.0.1")
    assert line["reason"] == "nobody has announced this call, or it has come already"


async def test_an_announcement_is_used_once(http: HttpDoor) -> None:
    async with opened(Bank(http, AudioSocketDoor(port=0, announced_only=True))) as doors:
        await asked("POST", doors["api"], {"uuid": str(NAME)})

        assert not await refused(doors, NAME)
        assert await refused(doors, NAME)


async def test_on_loopback_calls_need_no_announcement_and_their_outcome_is_told_all_the_same(http: HttpDoor) -> None:
    async with opened(Bank(http)) as doors:
        async with AudioSocketCaller.calling(*place(doors), NAME) as caller:
            await caller.press("1")
            await asyncio.wait_for(caller.over.wait(), 5)

        assert (await asked("GET", f"{doors['api']}/{NAME}/outcome")).json()["outcome"] == "completed"


async def test_two_calls_of_one_name_at_once_are_one_too_many() -> None:
    async with opened(EchoEngine()) as doors, AudioSocketCaller.calling(*place(doors), NAME):
        assert await refused(doors, NAME)


async def test_a_peer_that_is_not_on_the_list_is_hung_up() -> None:
    door = AudioSocketDoor.model_validate({"port": 0, "peers": ["10.1.0.0/16"]})
    async with opened(EchoEngine(audiosocket=door)) as doors:
        assert await refused(doors, NAME)


async def test_beyond_loopback_only_announced_calls_come_in_and_so_there_must_be_a_token(http: HttpDoor) -> None:
    async with opened(EchoEngine(http, AudioSocketDoor(host="0.0.0.0", port=0))) as doors:
        assert await refused({"audiosocket": f"tcp://127.0.0.1:{place(doors)[1]}"}, NAME)

    with pytest.raises(ConfigError, match=r"doors.audiosocket.announced_only: expected doors.http.token_file"):
        async with opened(EchoEngine(audiosocket=AudioSocketDoor(host="0.0.0.0", port=0))):
            pass


@pytest.mark.parametrize(
    ("door", "words"),
    [
        ({}, ()),
        ({"announced_only": True}, ("announced calls only",)),
        ({"host": "0.0.0.0", "peers": ["10.1.0.0/16"]}, ("peers 10.1.0.0/16", "announced calls only")),
        ({"host": "0.0.0.0", "announced_only": False}, ()),
    ],
)
def test_the_door_says_what_protects_it(door: dict[str, Any], words: tuple[str, ...]) -> None:
    assert AudioSocketDoor.model_validate(door).protections == words


async def test_connections_above_the_limits_are_hung_up_and_those_within_go_on() -> None:
    door = AudioSocketDoor(port=0, connections=3, unnamed=1)
    async with (
        opened(EchoEngine(audiosocket=door)) as doors,
        AudioSocketCaller.calling(*place(doors)) as first,
        AudioSocketCaller.calling(*place(doors)) as second,
    ):
        idle = await asyncio.open_connection(*place(doors))
        others = [await asyncio.open_connection(*place(doors)) for _ in range(3)]
        said = [await asyncio.wait_for(reader.read(), 5) for reader, _ in others]
        for caller in (first, second):
            await hears_itself(caller)

        assert said == [bytes(Frame(Kind.HANG_UP))] * 3
        for _, writer in (idle, *others):
            writer.close()


async def hears_itself(caller: AudioSocketCaller) -> None:
    before = caller.now
    await caller.say(tone(Seconds(0.1)))
    await caller.hears(before, within=Seconds(5.0))


def _held() -> tuple[int, int]:
    """Connections that are open, and tasks that are not done."""
    return connections(), len(asyncio.all_tasks())


async def _settled(before: tuple[int, int]) -> tuple[int, int]:
    """What is held once as little is as before, or nothing more is let go."""
    for _ in range(200):
        held = _held()
        if held[0] <= before[0] and held[1] <= before[1]:
            break
        await asyncio.sleep(0.02)
    return held


async def test_500_idle_connections_hurt_nobody_and_leave_nothing_behind() -> None:
    async with opened(EchoEngine()) as doors:
        before = _held()
        async with AudioSocketCaller.calling(*place(doors)) as neighbour:
            await _idle(doors, neighbour)
        tracemalloc.start()
        traced = []
        for _ in range(2):  # what the first has made room for, the second does not make again
            await _idle(doors)
            held = await _settled(before)
            gc.collect()
            traced.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()

        assert held[0] <= before[0]  # fewer, where another test's leavings were collected meanwhile
        assert held[1] <= before[1]
        assert traced[1] - traced[0] < 500_000  # bytes; a buffer for each would be megabytes


async def _idle(doors: Mapping[str, str], neighbour: AudioSocketCaller | None = None) -> None:
    """Open 500, say half a name on each, and leave."""
    idle = [(await asyncio.open_connection(*place(doors)))[1] for _ in range(500)]
    for writer in idle[::2]:
        writer.write(b"\x01\x00")
    if neighbour is not None:
        await hears_itself(neighbour)
    for writer in idle:
        writer.close()


async def test_garbage_of_every_kind_ends_its_own_connection_only() -> None:
    name = bytes(Frame(Kind.UUID, uuid4().bytes))
    garbage = [
        os.urandom(5000),
        name + os.urandom(5000),
        name + b"\x10\xff\xff",
        name + name,
        b"\x10\x01\x40" + bytes(320),
        b"\x01\x00\x11",
    ]
    async with opened(EchoEngine()) as doors:
        before = _held()
        async with AudioSocketCaller.calling(*place(doors)) as neighbour:
            for octets in garbage:
                reader, writer = await asyncio.open_connection(*place(doors))
                writer.write(octets)
                writer.write_eof()
                with contextlib.suppress(ConnectionResetError):  # it was hung up on before all it said was read
                    await asyncio.wait_for(reader.read(), 5)
                writer.close()
            await hears_itself(neighbour)

        assert await _settled(before) == before
