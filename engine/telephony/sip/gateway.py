"""All SIP calls of an engine: who may come in, whose leg a frame is for, and calls that we make.

Rules. A call that comes in is admitted or refused before it is answered. When the SIP process dies, its calls end as
``Gone("lost")``, calls being made fail as ``Outcome.LOST``, and the next ones wait for nobody: they are taken when it is back.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

import structlog

from engine.core.call import CallFacts, Direction
from engine.core.units import Seconds
from engine.telephony.apart.supervised import Program, Supervised
from engine.telephony.apart.wire import Frame, Kind
from engine.telephony.handover import new_call_id
from engine.telephony.sip import wire
from engine.telephony.sip.addresses import number_in
from engine.telephony.sip.handed import Handing
from engine.telephony.sip.leg import SipLeg
from engine.telephony.sip.outcomes import NotConnected, Outcome, outcome_of
from engine.telephony.sip.settings import SipSettings

_log = structlog.get_logger(__name__)
RING: Final = Seconds(40.0)

Admit = Callable[[wire.ComesIn], CallFacts | None]
"""Gives what is known of a call that comes in, or ``None`` to refuse it."""


class Gateway:
    """Open it with :meth:`open`, and close it."""

    def __init__(
        self,
        settings: SipSettings,
        admit: Admit,
        on_leg: Callable[[SipLeg], Awaitable[object]],
        handing: Handing | None = None,
        *,
        in_band_keys: bool = False,
    ) -> None:
        """``on_leg`` carries each call that came in to its end."""
        self.process = Supervised(_program(settings), self._take, self._lose_all)
        self.registered: dict[str, bool] = {}
        """Whether each trunk that was heard of is registered now."""
        self._admit = admit
        self._on_leg = on_leg
        self._handing = handing or Handing()
        self._in_band_keys = in_band_keys
        self._numbers = itertools.count(2, 2)
        self._expected: dict[int, CallFacts] = {}  # admitted, or dialled; not answered yet
        self._dialled: dict[int, asyncio.Future[SipLeg]] = {}
        self._rang: set[int] = set()  # of those
        self._legs: dict[int, SipLeg] = {}
        self._carried: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        """Start the process and wait until it listens; the port. Not safe to cancel.

        Raises:
            ConfigError: it can't: the address is taken, a file is missing, the extra ``sip`` is not installed.
        """
        return await self.process.open()

    async def close(self) -> None:
        """Hang up on everybody and stop the process. Not safe to cancel."""
        await self.process.close()
        if self._carried:
            await asyncio.wait(self._carried)

    @property
    def up(self) -> bool:
        """Whether a call made now would go out: else it is known not to."""
        return self.process.pid is not None

    @property
    def live(self) -> int:
        """Calls in progress."""
        return len(self._legs)

    @property
    def coming(self) -> int:
        """Calls that are being answered just now."""
        return len(self._expected)

    async def dial(
        self,
        uri: str,
        *,
        trunk: str = "",
        within: Seconds = RING,
        flow: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> SipLeg:
        """Call somebody, and wait until they answer. Safe to cancel: the call is then given up.

        Raises:
            NotConnected: they did not; it says why.
        """
        if self.process.pid is None:
            raise NotConnected(Outcome.LOST)
        number = next(self._numbers)
        self._expected[number] = CallFacts(new_call_id(), "sip", Direction.OUTBOUND, called_number=number_in(uri), flow=flow)
        answered: asyncio.Future[SipLeg] = asyncio.get_running_loop().create_future()
        self._dialled[number] = answered
        self.process.tell(wire.Dial(uri, trunk, dict(headers or {})).frame(number))
        taken = False
        try:
            async with asyncio.timeout(within):
                leg = await asyncio.shield(answered)
            taken = True
        except TimeoutError:
            raise NotConnected(Outcome.NO_ANSWER) from None
        finally:
            if not taken:
                self._give_up(number)
        return leg

    def _give_up(self, number: int) -> None:
        """Leave nothing of a call that we made and nobody wants any more; it may have been answered just now."""
        self._expected.pop(number, None)
        self._dialled.pop(number, None)
        self._rang.discard(number)
        self._legs.pop(number, None)
        self.process.tell(Frame(Kind.HANG_UP, number))

    def _lose_all(self) -> None:
        for leg in tuple(self._legs.values()):
            leg.lose()
        self.registered = dict.fromkeys(self.registered, False)
        for answered in tuple(self._dialled.values()):
            if not answered.done():
                answered.set_exception(NotConnected(Outcome.LOST))
        self._legs.clear()
        self._expected.clear()
        self._rang.clear()

    # What the process says

    def _take(self, frame: Frame) -> None:
        if (leg := self._legs.get(frame.call)) is not None:
            if frame.kind is Kind.CLOSED:
                del self._legs[frame.call]
            leg.take(frame)
            return
        match frame.kind:
            case Kind.COMES_IN:
                self._decide(frame.call, wire.ComesIn.of(frame))
            case Kind.RINGS if frame.call in self._dialled:
                self._rang.add(frame.call)
            case Kind.ANSWERED:
                self._answered(frame.call)
            case Kind.CLOSED:
                self._not_answered(frame.call, wire.Closed.of(frame))
            case Kind.REGISTERED:
                self._note(wire.Registered.of(frame))
            case _:
                pass  # it is of a call that is gone

    def _decide(self, number: int, call: wire.ComesIn) -> None:
        facts = self._admit(call)
        if facts is None:
            self.process.tell(Frame(Kind.REFUSE, number))
        else:
            self._expected[number] = facts
            self.process.tell(Frame(Kind.ANSWER, number))

    def _answered(self, number: int) -> None:
        facts = self._expected.pop(number, None)
        if facts is None:  # given up while they answered
            self.process.tell(Frame(Kind.HANG_UP, number))
            return
        leg = self._legs[number] = SipLeg(number, facts, self.process.tell, self._handing, in_band_keys=self._in_band_keys)
        answered = self._dialled.pop(number, None)
        self._rang.discard(number)
        if answered is not None:
            answered.set_result(leg)
            return
        task = asyncio.create_task(self._carry(leg), name=f"call {facts.id}")
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)

    async def _carry(self, leg: SipLeg) -> None:
        try:
            await self._on_leg(leg)
        finally:
            await leg.hang_up()

    def _not_answered(self, number: int, closed: wire.Closed) -> None:
        self._expected.pop(number, None)
        answered, rang = self._dialled.pop(number, None), number in self._rang
        self._rang.discard(number)
        if answered is not None and not answered.done():
            answered.set_exception(NotConnected(outcome_of(closed.status), closed.status, closed.reason, rang=rang))

    def _note(self, said: wire.Registered) -> None:
        self.registered[said.trunk] = not said.reason
        if said.reason:
            _log.error("sip.not_registered", trunk=said.trunk, status=said.status, reason=said.reason)
        else:
            _log.info("sip.registered", trunk=said.trunk)


def _program(settings: SipSettings) -> Program:
    """Started anew, it listens at the port it had."""
    return Program("sip", "engine.telephony.sip.process", lambda port: replace(settings, port=port or settings.port).to_json())
