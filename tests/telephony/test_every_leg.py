"""What the driver relies on, whatever door a call came through."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from engine.core.audio import FRAME_SAMPLES, TELEPHONY, AudioFrame
from engine.core.call import CallFacts, CallId
from engine.core.units import Seconds
from engine.telephony.apart.wire import Frame as Told
from engine.telephony.apart.wire import Kind as Telling
from engine.telephony.asterisk_ws import AsteriskLeg
from engine.telephony.audiosocket.frames import Frame, Kind
from engine.telephony.browser import BrowserLeg
from engine.telephony.freeswitch import FreeSwitchLeg
from engine.telephony.leg import Gone, Key, Leg, Sound
from engine.telephony.sip import wire
from engine.telephony.sip.handed import Handing
from engine.telephony.sip.leg import SipLeg
from engine.telephony.twilio import TwilioLeg
from engine.testing.wav_leg import WavLeg
from tests.telephony.audiosocket_door import HELLO, door
from tests.telephony.doubles import FakeSocket, frame, ramp
from tests.telephony.test_asterisk_ws_messages import PLAIN_START
from tests.telephony.test_twilio_messages import START, media

Opened = contextlib.AbstractAsyncContextManager[Leg]


@contextlib.asynccontextmanager
async def wav() -> AsyncIterator[Leg]:
    keys = [(Seconds(0.02), ord("5"))]
    yield WavLeg(AudioFrame(ramp(2)), CallFacts(CallId("c"), "wav"), real_time=False, keys=keys, patience=Seconds(60))


@contextlib.asynccontextmanager
async def twilio() -> AsyncIterator[Leg]:
    loud = media(bytes(160))
    leg = await TwilioLeg.accept(
        FakeSocket(json.dumps(START), loud, '{"event":"dtmf","dtmf":{"digit":"5"}}', loud, hangs_up=False)
    )
    yield leg
    await leg.hang_up()


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Leg]:
    leg = await BrowserLeg.accept(FakeSocket(ramp(1).tobytes(), '{"key": "5"}', ramp(1).tobytes(), hangs_up=False))
    yield leg
    await leg.hang_up()


@contextlib.asynccontextmanager
async def asterisk() -> AsyncIterator[Leg]:
    loud = bytes(160)
    leg = await AsteriskLeg.accept(FakeSocket(PLAIN_START, loud, "DTMF_END digit:5", loud, hangs_up=False), {})
    yield leg
    await leg.hang_up()


@contextlib.asynccontextmanager
async def freeswitch() -> AsyncIterator[Leg]:
    leg = await FreeSwitchLeg.accept(FakeSocket(ramp(1).tobytes(), '{"key": "5"}', ramp(1).tobytes(), hangs_up=False), {})
    yield leg
    await leg.hang_up()


@contextlib.asynccontextmanager
async def audiosocket() -> AsyncIterator[Leg]:
    async with door() as opened:
        loud = Frame(Kind.SOUND, ramp(1).tobytes())
        peer = await opened.call(HELLO, loud, Frame(Kind.KEY, b"5"), loud)
        yield await opened.leg()
        peer.hang_up()


@contextlib.asynccontextmanager
async def sip() -> AsyncIterator[Leg]:
    def tell(told: Told) -> None:
        if told.kind is Telling.TRANSFER:
            asyncio.get_running_loop().call_soon(leg.take, wire.Closed(None, "Call transfered").frame(1))

    leg = SipLeg(1, CallFacts(CallId("c"), "sip"), tell, Handing({"cards": ("sip:cards@pbx",)}))
    loud = Told(Telling.SOUND, 1, ramp(1).tobytes())
    for told in (loud, Told(Telling.KEY, 1, b"5"), loud):
        leg.take(told)
    yield leg


every_leg = pytest.mark.parametrize("open_leg", [wav, twilio, browser, asterisk, freeswitch, audiosocket, sip])


@every_leg
async def test_the_timeline_has_20_ms_frames_without_gaps_and_keys_between(open_leg: Callable[[], Opened]) -> None:
    async with open_leg() as leg:
        received = [await leg.receive() for _ in range(8)]
        frames = [item.frame for item in received if isinstance(item, Sound)]

        assert [frame.start for frame in frames] == [FRAME_SAMPLES * place for place in range(7)]
        assert {(len(frame.samples), frame.format, frame.samples.dtype) for frame in frames} == {
            (FRAME_SAMPLES, TELEPHONY, np.dtype(np.int16))
        }
        assert [item.code for item in received if isinstance(item, Key)] == [ord("5")]
        assert not isinstance(received[0], Key)


@every_leg
async def test_waiting_may_be_cancelled_at_any_time_without_loss(open_leg: Callable[[], Opened]) -> None:
    async with open_leg() as leg:
        received = []
        while len(received) < 8:
            waiting = asyncio.create_task(leg.receive())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            received.append(waiting.result() if not waiting.cancelled() else await leg.receive())
        frames = [item.frame for item in received if isinstance(item, Sound)]

        assert [frame.start for frame in frames] == [FRAME_SAMPLES * place for place in range(7)]


@every_leg
async def test_after_a_hang_up_it_is_gone_and_swallows_what_is_sent(open_leg: Callable[[], Opened]) -> None:
    async with open_leg() as leg:
        await leg.send(frame())
        await leg.hang_up()
        await leg.hang_up()
        await leg.send(frame())
        await leg.flush()
        await leg.transfer("cards", {})
        while not isinstance(last := await leg.receive(), Gone):
            pass

        assert last == Gone("ended")


@every_leg
async def test_a_transfer_is_the_end_of_the_leg(open_leg: Callable[[], Opened]) -> None:
    async with open_leg() as leg:
        await leg.transfer("cards", {"intent": "card_block"})
        while not isinstance(last := await leg.receive(), Gone):
            pass
        await leg.hang_up()

        assert last == Gone("transferred")


@every_leg
async def test_it_knows_its_call(open_leg: Callable[[], Opened]) -> None:
    async with open_leg() as leg:
        assert leg.facts.id
        assert leg.facts.door == open_leg.__name__
        assert 0 <= leg.lead <= 0.2
