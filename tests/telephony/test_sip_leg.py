"""A call over SIP as its driver sees it; the SIP process is played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from engine.core.call import CallFacts, CallId
from engine.telephony.apart.wire import Frame, Kind, Told
from engine.telephony.leg import Gone, Incoming, Key, Sound
from engine.telephony.sip import wire
from engine.telephony.sip.handed import Handing
from engine.telephony.sip.leg import SipLeg
from tests.telephony.doubles import frame, ramp

TWO = Handing({"cards": ("sip:first@pbx", "sip:second@pbx"), "one": ("sip:only@pbx",)})


class Process:
    """Notes what it is told, and answers transfers with what the test says."""

    def __init__(self, *answers: Told) -> None:
        self.told: list[Frame] = []
        self.answers = list(answers)
        self.leg = SipLeg(7, CallFacts(CallId("c"), "sip"), self.tell, TWO)

    def tell(self, frame: Frame) -> None:
        self.told.append(frame)
        if frame.kind is Kind.TRANSFER and self.answers:
            asyncio.get_running_loop().call_soon(self.leg.take, self.answers.pop(0).frame(7))

    @property
    def kinds(self) -> list[Kind]:
        return [frame.kind for frame in self.told]


async def everything(leg: SipLeg) -> list[Incoming]:
    found = [await leg.receive()]
    while not isinstance(found[-1], Gone):
        found.append(await leg.receive())
    return found


async def test_sound_goes_out_as_pcm_and_a_flush_behind_it() -> None:
    process = Process()
    await process.leg.send(frame())
    await process.leg.flush()

    assert process.kinds == [Kind.SOUND, Kind.FLUSH]
    assert process.told[0].payload == frame().samples.astype("<i2").tobytes()
    assert {told.call for told in process.told} == {7}


async def test_whoever_hangs_up_over_there_has_hung_up() -> None:
    process = Process()
    process.leg.take(Frame(Kind.SOUND, 7, ramp(1).tobytes()))
    process.leg.take(Frame(Kind.KEY, 7, b"5"))
    process.leg.take(wire.Closed(None, "Connection reset by peer [104]").frame(7))
    sound, key, gone = await everything(process.leg)

    assert isinstance(sound, Sound)
    assert isinstance(key, Key)
    assert gone == Gone("hung_up")
    assert process.told == []


@pytest.mark.parametrize(
    "ends", [lambda leg: leg.take(wire.Closed(None, "rtp stream error").frame(7)), lambda leg: leg.lose()], ids=["rtp", "process"]
)
async def test_a_silent_line_and_a_dead_process_are_lost_calls(ends: Callable[[SipLeg], None]) -> None:
    process = Process()
    ends(process.leg)

    assert await process.leg.receive() == Gone("lost")


async def test_the_second_address_is_tried_where_the_first_does_not_take_the_call() -> None:
    process = Process(wire.NotTransferred(486, "Busy"), wire.Closed(None, "Call transfered"))
    await process.leg.transfer("cards", {"intent": "card_block"})

    addresses = [wire.Transfer.of(told).refer_to for told in process.told if told.kind is Kind.TRANSFER]
    assert [address.partition("?")[0] for address in addresses] == ["<sip:first@pbx", "<sip:second@pbx"]
    assert await process.leg.receive() == Gone("transferred")


async def test_a_peer_may_just_hang_up_when_it_has_taken_the_call() -> None:
    process = Process(wire.Closed(None, "Connection reset by peer [104]"))
    await process.leg.transfer("one", {})

    assert await process.leg.receive() == Gone("transferred")


@pytest.mark.parametrize("answers", [(wire.NotTransferred(603, "Decline"),), ()], ids=["declined", "unknown"])
async def test_a_transfer_that_nobody_takes_leaves_the_caller_on_the_line(answers: tuple[Told, ...]) -> None:
    process = Process(*answers)
    taken = await process.leg.transfer("one" if answers else "nowhere", {})

    assert not taken
    assert isinstance(await process.leg.receive(), Sound)
    assert Kind.HANG_UP not in process.kinds


async def test_a_process_that_dies_in_a_transfer_loses_the_call() -> None:
    process = Process()
    transfer = asyncio.create_task(process.leg.transfer("one", {}))
    await asyncio.sleep(0)
    process.leg.lose()
    await transfer

    assert isinstance(await process.leg.receive(), Gone)


async def test_more_keys_than_fingers_can_press_end_the_call() -> None:
    process = Process()
    for _ in range(60):
        process.leg.take(Frame(Kind.KEY, 7, b"5"))

    assert (await everything(process.leg))[-1] == Gone("media")
    assert process.kinds == [Kind.HANG_UP]


async def test_tones_count_where_the_door_says_so_and_a_message_is_believed_before_them() -> None:
    leg = SipLeg(7, CallFacts(CallId("c"), "sip"), lambda told: None, TWO, in_band_keys=True)
    leg.take(Frame(Kind.KEY, 7, b"5"))

    assert await leg.receive() == Key(ord("5"))
