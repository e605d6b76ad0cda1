"""An engine that has a SIP process and nothing else, and what its tests wait for."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.audio.g711 import Law, decode, encode
from engine.core.audio import Samples
from engine.core.call import CallFacts, CallId
from engine.telephony.leg import Gone, Sound
from engine.telephony.sip import wire
from engine.telephony.sip.gateway import Gateway
from engine.telephony.sip.handed import Handing
from engine.telephony.sip.leg import SipLeg
from engine.telephony.sip.settings import SipSettings
from tests.conftest import missing
from tests.telephony.sip_peer import PATIENCE, SipPeer

LOUD = encode((8_000 * np.sin(2 * np.pi * 1_000 * np.arange(160) / 8_000)).astype(np.int16), Law.ALAW)  # 20 ms of 1 kHz
NEXT_RTP = iter(range(20_000, 60_000, 100))


@dataclass
class Line:
    """An engine that has a SIP process and nothing else."""

    gateway: Gateway
    port: int
    came: asyncio.Queue[wire.ComesIn] = field(default_factory=asyncio.Queue)
    legs: asyncio.Queue[SipLeg] = field(default_factory=asyncio.Queue)
    full: bool = False

    async def leg(self) -> SipLeg:
        return await asyncio.wait_for(self.legs.get(), PATIENCE)


def needs_the_stack() -> None:
    if importlib.util.find_spec("baresip") is None:
        missing("the extra sip")


@contextlib.asynccontextmanager
async def opened(handing: Handing | None = None, **settings: Any) -> AsyncIterator[Line]:
    needs_the_stack()
    over = asyncio.Event()

    def admit(call: wire.ComesIn) -> CallFacts | None:
        line.came.put_nowait(call)
        return None if line.full else CallFacts(CallId(call.call_id), "sip")

    async def carry(leg: SipLeg) -> None:
        line.legs.put_nowait(leg)
        await over.wait()

    start = next(NEXT_RTP)
    gateway = Gateway(SipSettings(**{"rtp_ports": (start, start + 99), **settings}), admit, carry, handing)
    line = Line(gateway, await gateway.open())
    try:
        yield line
    finally:
        over.set()
        await gateway.close()


async def until(leg: SipLeg, wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(PATIENCE):
        while not wanted(incoming := await leg.receive()):
            assert not isinstance(incoming, Gone), incoming
    return incoming


async def gone(leg: SipLeg) -> Gone:
    async with asyncio.timeout(PATIENCE):
        while not isinstance(incoming := await leg.receive(), Gone):
            pass
    return incoming


def is_loud(incoming: Any) -> bool:
    return isinstance(incoming, Sound) and int(np.abs(incoming.frame.samples).max()) > 5_000


def heard_by(peer: SipPeer) -> Samples:
    """The sound in the packets that have come so far; A-law."""
    return decode(b"".join(packet[12:] for packet in packets_of(peer)), Law.ALAW)


def packets_of(peer: SipPeer) -> list[bytes]:
    """RTP that has come so far."""
    return [peer.packets.get_nowait() for _ in range(peer.packets.qsize())]


def is_loud_sound(sound: Samples) -> bool:
    return len(sound) > 0 and int(np.abs(sound).max()) > 5_000


async def speaks(peer: SipPeer, packets: int) -> None:
    for place in range(packets):
        peer.speak(LOUD, mark=place == 0)
        await asyncio.sleep(0.02)


async def hears(peer: SipPeer, wanted: Callable[[Samples], bool]) -> None:
    await comes_true(lambda: wanted(heard_by(peer)))


async def comes_true(wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(2 * PATIENCE):
        while not wanted():  # noqa: ASYNC110 -- what others do tells nobody
            await asyncio.sleep(0.02)


def descriptors(line: Line) -> int:
    """How many files the SIP process has open."""
    return len(list(Path(f"/proc/{line.gateway.process.pid}/fd").iterdir()))


def alive(pid: int | None) -> bool:
    return Path(f"/proc/{pid}").exists()
