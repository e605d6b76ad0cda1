"""Calls through the WebSocket dialects over real sockets: what callers hear, what the dialplan can ask afterwards, and garbage."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import cast
from uuid import UUID, uuid4

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from engine.core.call import CallFacts
from engine.core.units import Language, Seconds
from engine.runtime.engine import Engine
from engine.runtime.watch import Watch
from engine.server.desk import Desk, named
from engine.telephony.announced import Announcement, Over, Taken
from engine.telephony.leg import Leg
from engine.testing.asterisk_ws_caller import AsteriskWsCaller
from engine.testing.caller import Caller
from engine.testing.freeswitch_caller import FreeSwitchCaller
from engine.testing.parts import tone
from engine.testing.twilio_caller import TwilioCaller
from tests.server.doubles import EchoEngine, opened
from tests.server.test_doors import GARBAGE

UUID_OF_A_CALL = "0b5c2f0e-9d3f-4c6a-8f57-0d8d6d1c1a11"
CALL_SID = "CA0b5c2f0e9d3f4c6a8f570d8d6d1c1a11"


class SendingEngine(EchoEngine):
    """Sends every caller on to people at once."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: list[CallFacts] = []

    async def take(self, leg: Leg, language: Language | None = None, watch: Watch | None = None) -> str:
        self.facts.append(leg.facts)
        await leg.transfer("cards", {"intent": "card_block", "last_words": "block my card"})
        return "transferred"


async def _hears_itself(caller: Caller) -> None:
    before = caller.now
    await caller.say(tone(Seconds(0.1)))
    await caller.hears(before, within=Seconds(5.0))


async def _ends(caller: Caller) -> None:
    await asyncio.wait_for(caller.over.wait(), 5)


@pytest.mark.parametrize("codec", ["ulaw", "alaw", "slin", "slin16"])
@pytest.mark.parametrize("as_json", [False, True])
async def test_a_caller_behind_asterisk_hears_itself_in_every_codec_and_is_hung_up(codec: str, as_json: bool) -> None:
    async with opened(EchoEngine()) as doors, AsteriskWsCaller.calling(doors["asterisk"], codec, as_json=as_json) as caller:
        await _hears_itself(caller)
        await caller.press("#")
        await _ends(caller)

    assert caller.cut == 0
    assert (caller.commands[0], caller.commands[-1]) == ("ANSWER", "HANGUP")


@pytest.mark.parametrize(
    ("rate_hz", "channels", "reply"), [(8000, 1, "json"), (16000, 1, "binary"), (8000, 2, "json"), (16000, 2, "json")]
)
async def test_a_caller_behind_freeswitch_hears_itself_however_it_streams(rate_hz: int, channels: int, reply: str) -> None:
    streams = {"rate_hz": rate_hz, "channels": channels, "reply": reply}
    async with (
        opened(EchoEngine()) as doors,
        FreeSwitchCaller.calling(doors["freeswitch"], '{"uuid":"u"}', **streams) as caller,  # type: ignore[arg-type]
    ):
        await _hears_itself(caller)
        await caller.press("#")
        await _ends(caller)

    assert caller.events == [{"type": "disconnect", "data": {"reason": "ended"}}]


@pytest.mark.parametrize(
    ("door", "offered", "taken"),
    [("asterisk", "media", "media"), ("asterisk", "ws", None), ("freeswitch", "audio.drachtio.org", "audio.drachtio.org")],
)
async def test_the_subprotocol_of_the_dialect_is_taken_and_no_other(door: str, offered: str, taken: str | None) -> None:
    async with opened(EchoEngine()) as doors, connect(doors[door], subprotocols=[Subprotocol(offered)]) as socket:
        assert socket.subprotocol == taken


Calling = Callable[[dict[str, str]], contextlib.AbstractAsyncContextManager[Caller]]
every_dialect = pytest.mark.parametrize(
    "calling",
    [
        lambda doors: AsteriskWsCaller.calling(doors["asterisk"], uuid=UUID_OF_A_CALL),
        lambda doors: FreeSwitchCaller.calling(doors["freeswitch"], uuid=UUID_OF_A_CALL),
        lambda doors: TwilioCaller.calling(doors["twilio"], CALL_SID),
    ],
    ids=["asterisk", "freeswitch", "twilio"],
)


@every_dialect
async def test_the_dialplan_can_ask_where_a_caller_goes_on(calling: Calling) -> None:
    engine = SendingEngine()
    async with opened(engine) as doors, calling(doors) as caller:
        await _ends(caller)
    call = engine.announced.find(UUID(UUID_OF_A_CALL), Seconds(0.0))

    assert isinstance(call, Over)
    assert (call.ending.outcome, call.ending.destination) == ("transferred", "cards")
    assert call.ending.context == {"intent": "card_block", "last_words": "block my card"}


@every_dialect
async def test_what_was_announced_of_a_call_is_known_when_it_comes(calling: Calling) -> None:
    engine = SendingEngine()
    said = Announcement("+79161234567", "+74951234567", flow="main", language=Language("en"))
    async with opened(engine) as doors:
        engine.announced.announce(UUID(UUID_OF_A_CALL), said, Seconds(asyncio.get_running_loop().time()))
        async with calling(doors) as caller:
            await _ends(caller)
    (facts,) = engine.facts

    assert (facts.caller_number, facts.called_number, facts.flow, facts.language) == (
        "+79161234567",
        "+74951234567",
        "main",
        "en",
    )


async def test_a_name_that_is_in_a_call_can_not_be_taken_by_another_one() -> None:
    async with opened(EchoEngine()) as doors, AsteriskWsCaller.calling(doors["asterisk"], uuid=UUID_OF_A_CALL) as first:
        await _hears_itself(first)
        async with AsteriskWsCaller.calling(doors["asterisk"], uuid=UUID_OF_A_CALL) as second:
            await _ends(second)

        assert second._socket.close_reason == "refused: a call of this name is in progress"
        assert second._socket.close_code == 1008
        await _hears_itself(first)


async def test_a_call_that_breaks_off_is_over_for_the_dialplan_too() -> None:
    engine = EchoEngine()
    name = uuid4()
    async with opened(engine) as doors:
        async with AsteriskWsCaller.calling(doors["asterisk"], uuid=str(name)) as caller:
            await _hears_itself(caller)
            during = engine.announced.find(name, Seconds(0.0))
        await asyncio.wait_for(engine.ended.get(), 5)
        await asyncio.sleep(0)

        assert isinstance(during, Taken)
        assert isinstance(engine.announced.find(name, Seconds(0.0)), Over)


async def test_a_call_whose_engine_fails_is_over_as_failed() -> None:
    class Failing(EchoEngine):
        async def take(self, leg: Leg, language: Language | None = None, watch: Watch | None = None) -> str:
            raise RuntimeError("a bug")

    class Named:
        facts = CallFacts(id="c", door="asterisk", peer_id=UUID_OF_A_CALL)  # type: ignore[arg-type]

    engine = Failing()
    with pytest.raises(RuntimeError):
        await Desk(cast("Engine", engine)).receive(Named())  # type: ignore[arg-type]
    call = engine.announced.find(UUID(UUID_OF_A_CALL), Seconds(0.0))

    assert isinstance(call, Over)
    assert call.ending.outcome == "failed"


@pytest.mark.parametrize(
    ("peers", "name"),
    [
        (UUID_OF_A_CALL, UUID(UUID_OF_A_CALL)),
        (UUID_OF_A_CALL.upper(), UUID(UUID_OF_A_CALL)),
        (CALL_SID, UUID(UUID_OF_A_CALL)),
        ("pbx1-123456789.999", None),
        ("v2:abc", None),
        (f"{UUID_OF_A_CALL}0", None),
        ("", None),
        (None, None),
    ],
)
def test_only_uuids_and_call_sids_are_names_that_can_be_asked_for(peers: str | None, name: UUID | None) -> None:
    assert named(peers) == name


@pytest.mark.parametrize("door", ["asterisk", "freeswitch"])
async def test_garbage_ends_its_own_call_and_no_other(door: str) -> None:
    start = "MEDIA_START connection_id:c channel:WebSocket/x format:ulaw optimal_frame_size:160"
    more = (start, '{"event":"MEDIA_START"}', "DTMF_END digit:77", '{"key":"77"}', b"\x00" * 65_537, os.urandom(65_000))
    async with opened(EchoEngine()) as doors, TwilioCaller.calling(doors["twilio"]) as neighbour:
        await asyncio.gather(*(_poured(doors[door], [one]) for one in (*GARBAGE, *more)))
        await asyncio.gather(*(_poured(doors[door], [start, one, start]) for one in (*GARBAGE, *more)))

        await _hears_itself(neighbour)


@pytest.mark.parametrize(
    "query", ["uuid=" + "x" * 5000, "caller=%00", "rate=1", "language=%F0%9F%92%A9", "flow=../../etc", "&&&=", "uuid=a&uuid=b"]
)
async def test_odd_addresses_hurt_nobody(query: str) -> None:
    async with opened(EchoEngine()) as doors, TwilioCaller.calling(doors["twilio"]) as neighbour:
        for door in ("asterisk", "freeswitch"):
            await _poured(f"{doors[door]}?{query}", ["MEDIA_START connection_id:c channel:WebSocket/x format:ulaw"])

        await _hears_itself(neighbour)


async def _poured(address: str, messages: list[str | bytes]) -> None:
    """Connect, say this, hang up."""
    with contextlib.suppress(ConnectionClosed, InvalidStatus):
        async with connect(address, max_size=None) as peer:
            for message in messages:
                await peer.send(message)
