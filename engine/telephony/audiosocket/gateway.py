"""All calls over AudioSocket: whose leg a frame is for.

Rules. A call that comes in is heard from its first frame on, or hung up. When the AudioSocket process dies, its calls end as
``Gone("lost")``, and the next ones wait in the kernel until it is back, or Asterisk has waited long enough.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from engine.core.call import CallFacts
from engine.telephony.apart.supervised import Program, Supervised
from engine.telephony.apart.wire import Frame, Kind
from engine.telephony.audiosocket.complaints import Complaints
from engine.telephony.audiosocket.leg import AudioSocketLeg
from engine.telephony.audiosocket.settings import AudioSocketSettings
from engine.telephony.audiosocket.wire import ComesIn, TurnedAway
from engine.telephony.handover import Handover

_log = structlog.get_logger(__name__)
Admit = Callable[[UUID], CallFacts | None]
"""Gives what is known of a call, or ``None`` to refuse it."""


class Gateway:
    """Open it with :meth:`open`, and close it."""

    def __init__(
        self,
        listening: socket.socket,
        settings: AudioSocketSettings,
        admit: Admit,
        on_leg: Callable[[AudioSocketLeg], Awaitable[object]],
        handover: Handover | None = None,
        *,
        in_band_keys: bool = True,
    ) -> None:
        """``listening`` is bound; it is closed with the gateway. ``on_leg`` carries each call to its end."""
        program = Program(
            "audiosocket", "engine.telephony.audiosocket.process", lambda _: settings.to_json(), (listening.fileno(),)
        )
        self.process = Supervised(program, self._take, self._lose_all)
        self._listening = listening
        self._admit = admit
        self._on_leg = on_leg
        self._handover = handover
        self._in_band_keys = in_band_keys
        self._complaints = Complaints(_turned_away)
        self._legs: dict[int, AudioSocketLeg] = {}
        self._carried: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        """Start the process and wait until it listens; the port. Not safe to cancel.

        Raises:
            ConfigError: it can't.
        """
        return await self.process.open()

    async def close(self) -> None:
        """Hang up on everybody and stop the process. Not safe to cancel."""
        self._listening.close()
        await self.process.close()
        if self._carried:
            await asyncio.wait(self._carried)

    def _lose_all(self) -> None:
        for leg in self._legs.values():
            leg.lose()
        self._legs.clear()

    def _take(self, frame: Frame) -> None:
        if (leg := self._legs.get(frame.call)) is not None:
            if frame.kind is Kind.CLOSED:
                del self._legs[frame.call]
            leg.take(frame)
        elif frame.kind is Kind.COMES_IN:
            self._decide(frame.call, ComesIn.of(frame))
        elif frame.kind is Kind.TURNED_AWAY:
            _turned_away(TurnedAway.of(frame))

    def _decide(self, number: int, call: ComesIn) -> None:
        facts = self._admit(UUID(call.name))
        if facts is None:
            self._complaints.say(call.peer, "nobody has announced this call, or it has come already", call.name)
            self.process.tell(Frame(Kind.HANG_UP, number))
            return
        leg = AudioSocketLeg(number, facts, self.process.tell, self._handover, in_band_keys=self._in_band_keys)
        self._legs[number] = leg
        task = asyncio.create_task(self._carry(number, leg), name=f"call {facts.id}")
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)

    async def _carry(self, number: int, leg: AudioSocketLeg) -> None:
        try:
            await self._on_leg(leg)
        finally:
            await leg.hang_up()
            if self._legs.get(number) is leg:  # after a death numbers begin anew
                del self._legs[number]


def _turned_away(told: TurnedAway) -> None:
    _log.warning("audiosocket.refused", peer=told.peer, reason=told.reason, call=told.call, count=told.count)
