"""Asks after calls of which nobody knows how they ended: those of dead diallers, and those whose carrier was lost on the way.

What the carrier says is written; what it will not say any more is settled from the conversation's journal where there is one, and
is else listed for a person. So is what was made over another carrier that nobody dials over any more. Nothing here dials.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Generic, TypeVar

import structlog

from engine.core.errors import EngineError
from engine.core.units import Seconds
from engine.outbound.attempt import AttemptState, Fate
from engine.outbound.carrier import Carrier, Doubt, Ended
from engine.outbound.contacts import AttemptId, Reached
from engine.runtime.outbound.line import Talker
from engine.runtime.outbound.paperwork import Paperwork, utc_now
from engine.store.attempts import Attempts, Left, Talked

_log = structlog.get_logger(__name__)
A = TypeVar("A")
Dead = Callable[[Collection[str]], Collection[str]]
"""Which of some diallers are known to be dead."""


class Reconciler(Generic[A]):
    """One dialler's."""

    def __init__(self, attempts: Attempts, carrier: Carrier, talker: Talker[A], paperwork: Paperwork, dead: Dead) -> None:
        self._attempts = attempts
        self._carrier = carrier
        self._talker = talker
        self._paperwork = paperwork
        self._dead = dead
        self._doubtful: dict[AttemptId, Left] = {}

    @property
    def open(self) -> int:
        """How many are asked after."""
        return len(self._doubtful)

    def doubt(self, attempt: AttemptId) -> None:
        """The carrier was lost while this was dialled."""
        self._doubtful[attempt] = Left(attempt, AttemptState.DIALLED, None)

    async def take_over(self, now: datetime) -> None:
        """Take over what dead diallers left. Not safe to cancel.

        Raises:
            SQLAlchemyError: the database is away.
        """
        dead = self._dead(await self._paperwork.ask(self._attempts.others))
        for left in await self._paperwork.ask(self._attempts.adopt, now, dead):
            if not await self._never_sent(left):
                self._doubtful[left.attempt] = left
        for left in await self._paperwork.ask(self._attempts.strays):
            if not await self._never_sent(left):
                await self._resolve(left, Doubt.UNKNOWN)

    async def _never_sent(self, left: Left) -> bool:
        """Whether it was committed and no more: then its contact waits again."""
        _log.warning("outbound.took_over", attempt=left.attempt, state=left.state.value)
        if left.state is AttemptState.COMMITTED:
            await self._paperwork.surely(self._attempts.withdraw, left.attempt, Fate.NEVER_SENT, utc_now())
        return left.state is AttemptState.COMMITTED

    async def ask(self) -> bool:
        """Ask the carrier; whether it said anything. Safe to cancel.

        Raises:
            CarrierLost: it is away; ask again later.
        """
        if not self._doubtful or not self._carrier.ready:
            return False
        asked = tuple(self._doubtful.values())
        known = await self._carrier.known([left.attempt for left in asked])
        over = [left for left in asked if known.get(left.attempt) is not Doubt.GOES_ON]
        for left in over:
            await self._resolve(left, known.get(left.attempt))
            del self._doubtful[left.attempt]
        return bool(over)

    async def _resolve(self, left: Left, known: Ended | Doubt | None) -> None:
        try:
            talked = None if left.call is None else await self._talker.recall(left.call)
        except EngineError as error:
            _log.error("outbound.recall", attempt=left.attempt, code=error.code)
            told = f"answered, and what was said can't be read: {error.code}"
            await self._paperwork.surely(self._attempts.give_up, left.attempt, told)
            return
        if talked is not None:
            await self._ended(left, Ended(Reached.ANSWERED, Seconds(talked.seconds)), talked)
        elif known is None:
            await self._paperwork.surely(self._attempts.withdraw, left.attempt, Fate.NEVER_SEEN, utc_now())
        elif isinstance(known, Ended) and known.reached is not Reached.ANSWERED:
            await self._ended(left, known, None)
        else:
            answered = isinstance(known, Ended) or left.call is not None
            told = "answered, and the talk was cut off" if answered else "the carrier can't tell what became of it"
            await self._paperwork.surely(self._attempts.give_up, left.attempt, told)

    async def _ended(self, left: Left, ended: Ended, talked: Talked | None) -> None:
        await self._paperwork.surely(self._attempts.ended, left.attempt, ended, utc_now(), talked)
