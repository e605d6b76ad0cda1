"""The leg of a call that we made and that came back to us through a door: it tells its door when the talk is over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from engine.core.audio import AudioFrame
from engine.core.call import CallFacts, Direction
from engine.core.units import Seconds
from engine.outbound.carrier import Dial
from engine.telephony.leg import Incoming, Leg


class ClaimedLeg:
    """See :class:`engine.telephony.leg.Leg`."""

    def __init__(self, leg: Leg, dial: Dial) -> None:
        self.over = asyncio.Event()
        """Set when it is hung up from our side."""
        self._leg = leg
        self.facts: CallFacts = replace(
            leg.facts, direction=Direction.OUTBOUND, caller_number=dial.shown, called_number=dial.number, flow=dial.flow
        )

    @property
    def real_time(self) -> bool:
        return self._leg.real_time

    @property
    def lead(self) -> Seconds:
        return self._leg.lead

    async def receive(self) -> Incoming:
        """See the leg's. Safe to cancel."""
        return await self._leg.receive()

    async def send(self, frame: AudioFrame) -> None:
        """See the leg's."""
        await self._leg.send(frame)

    async def flush(self) -> None:
        """See the leg's."""
        await self._leg.flush()

    async def transfer(self, destination: str, context: Mapping[str, str]) -> bool:
        """See the leg's. Not safe to cancel."""
        return await self._leg.transfer(destination, context)

    async def hang_up(self) -> None:
        """See the leg's; the door may close after it."""
        await self._leg.hang_up()
        self.over.set()
