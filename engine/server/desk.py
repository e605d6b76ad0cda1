"""Calls to whose name the dialplan can come back: what was announced of them before, and what became of them.

A name is a UUID (AudioSocket's, Asterisk's ``v(uuid=...)``, FreeSWITCH's ``${uuid}``), or a Twilio call SID, whose 32 digits are
one. A call of any other name is carried as well; nobody can ask for it. See :mod:`engine.server.api`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

import structlog

from engine.core.call import CallFacts
from engine.core.units import Seconds
from engine.runtime.engine import Engine
from engine.telephony.announced import Announcement
from engine.telephony.leg import Leg
from engine.telephony.sockets import SocketLeg

_log = structlog.get_logger(__name__)
_UUID = re.compile(r"(?:CA)?([0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12})")


class Desk:
    """Between the doors, which know a call's name, and the table of announced calls."""

    def __init__(self, engine: Engine, *, strangers: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        """``strangers``: calls are carried that nobody has announced."""
        self._engine, self._strangers, self._clock = engine, strangers, clock

    def admit(self, name: UUID) -> Announcement | None:
        """What was announced of a call that has come, or ``None`` where it is not to be carried."""
        return self._engine.announced.take(name, self._now, strangers=self._strangers)

    async def hand_over(self, facts: CallFacts, destination: str, context: Mapping[str, str]) -> None:
        """Note where the call goes on; the dialplan asks when the stream has ended."""
        name = named(facts.peer_id)
        if name is not None:
            self._engine.announced.hand_over(name, destination, context)

    async def carry(self, leg: Leg) -> str:
        """Carry a call that was admitted from beginning to end; its outcome. Safe to cancel: the call is then hung up."""
        name, outcome = named(leg.facts.peer_id), "failed"
        try:
            claim = self._engine.claims.pop(name, None) if name is not None else None
            outcome = await (self._engine.take(leg) if claim is None else claim(leg))
        finally:
            if name is not None:
                self._engine.announced.end(name, outcome, self._now)
        return outcome

    async def receive(self, leg: SocketLeg) -> str:
        """Admit a call that says what it is called only when its leg is there, and carry it; its outcome."""
        name = named(leg.facts.peer_id)
        if name is not None:
            known = self.admit(name)
            if known is None:
                _log.warning("door.refused", door=leg.facts.door, reason="in progress")
                await leg.refuse("a call of this name is in progress")
                return "refused"
            leg.facts = _completed(leg.facts, known)
        return await self.carry(leg)

    @property
    def _now(self) -> Seconds:
        return Seconds(self._clock())


def _completed(facts: CallFacts, known: Announcement) -> CallFacts:
    """What the leg says, and where it says nothing, what was announced."""
    return replace(
        facts,
        caller_number=facts.caller_number or known.caller_number,
        called_number=facts.called_number or known.called_number,
        flow=facts.flow or known.flow,
        language=facts.language or known.language,
    )


def named(peer_id: str | None) -> UUID | None:
    """The name a call can be asked for by, or ``None`` where it has none."""
    found = _UUID.fullmatch(peer_id or "")
    return None if found is None else UUID(found[1])
