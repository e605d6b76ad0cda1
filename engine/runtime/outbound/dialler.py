"""The dialler: commits intents, dials, lets somebody talk, writes what came of it.

Rules:

* nothing is sent that is not committed and marked; what was marked and is not known is asked for, and never sent again;
* the database may be away: then nothing new is dialled, calls go on, and their results are written when it is back;
* a talk that breaks down is for a person to look at: what was said until then nobody knows;
* one task a call; decisions are :class:`engine.outbound.dialling.Dialling`'s alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.core.errors import EngineError
from engine.core.units import Seconds
from engine.outbound.breaker import Breaker, BreakerPolicy
from engine.outbound.carrier import CarrierLost, Dial, Ended
from engine.outbound.contacts import CampaignId, Outcome, Reached
from engine.outbound.dialling import Answered, Asked, Committed, Dialling, Lines, NothingDue, Over, Running, Withdrawn
from engine.runtime.outbound.around import Around
from engine.runtime.outbound.intents import Intents
from engine.runtime.outbound.line import Plan
from engine.runtime.outbound.paperwork import Paperwork, utc_now
from engine.runtime.outbound.reconciler import Reconciler
from engine.store.attempts import RENEW, Intent

_log = structlog.get_logger(__name__)
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Habits:
    """How often the dialler looks around, and when it stops dialling by itself."""

    look: Seconds = Seconds(1.0)
    """At the campaigns that run."""

    reconcile: Seconds = Seconds(2.0)
    """At what dead diallers left, and at what the carrier is asked for."""

    reply: Seconds = Seconds(60.0)
    """How long a carrier that says nothing of a call is waited for, beyond the time that it may ring."""

    breaker: BreakerPolicy = BreakerPolicy()


class Dialler(Generic[A]):
    """Run it with :meth:`run`, stop it with :meth:`stop`."""

    def __init__(self, around: Around[A], lines: int, per_second: float, habits: Habits = Habits()) -> None:
        """``lines``: most calls at once; ``per_second``: new calls."""
        self.dialling = Dialling(lines, per_second, Breaker(habits.breaker))
        self._around = around
        self._lines = lines
        self._habits = habits
        self._paperwork = Paperwork()
        self._reconciler = Reconciler(around.attempts, around.line, around.talker, self._paperwork, around.dead)
        self._running: dict[CampaignId, Plan] = {}
        self._told: dict[CampaignId, Seconds] = {}  # when we were told of its operators
        self._place: tuple[int, int] | None = None  # which dialler we are, and of how many, where they share operators
        self._intents = Intents(around, self._paperwork)
        self._turns: set[asyncio.Task[bool]] = set()
        self._wake = asyncio.Event()
        self._stopped = False

    async def run(self, *, until_done: bool = False) -> None:
        """Dial until stopped, and until the calls then in progress are over; or until no campaign runs. Safe to cancel: calls
        in progress are then hung up.
        """
        await self._paperwork.surely(self._around.attempts.renew, utc_now())
        helpers = [asyncio.create_task(it) for it in (self._renew(), self._reconcile())]
        try:
            await self._dial(until_done=until_done)
            if self._turns:
                await asyncio.wait(self._turns)
        finally:
            for task in (*helpers, *self._turns):
                task.cancel()
            await asyncio.gather(*helpers, *self._turns, return_exceptions=True)
            with contextlib.suppress(SQLAlchemyError):
                await self._paperwork.ask(self._around.attempts.leave)
            self._paperwork.close()

    def stop(self) -> None:
        """Begin no more calls."""
        self._stopped = True
        self._wake.set()

    # Whose turn it is

    @property
    def _now(self) -> Seconds:
        return Seconds(time.monotonic())

    async def _dial(self, *, until_done: bool) -> None:
        looked = Seconds(-self._habits.look)
        while not self._stopped:
            if self._now - looked >= self._habits.look:
                await self._look()
                looked = self._now
                if until_done and not (self._running or self._turns or self._reconciler.open):
                    return
            for campaign in self._turns_now():
                self._start(self._turn(campaign))
            await self._sleep()

    def _turns_now(self) -> tuple[CampaignId, ...]:
        if not self._around.line.ready or self._around.clock() is None:
            return ()
        room = self._around.room()
        lines = self._lines if room is None else min(self._lines, self.dialling.live + max(0, room))
        self.dialling.receive(Lines(lines), self._now)
        for campaign, (staffed, at) in self._around.staffing().items():
            if self._told.get(campaign) == at or (staffed.shared and self._place is None):
                continue
            self._told[campaign] = at
            mine = staffed.operators.part(*self._place) if staffed.shared and self._place else staffed.operators
            self.dialling.receive(replace(staffed, operators=mine), at)
        return self.dialling.tick(self._now)

    async def _look(self) -> None:
        """See which campaigns run."""
        with contextlib.suppress(SQLAlchemyError):
            self._running = dict(await self._paperwork.ask(self._around.plans.running))
        self.dialling.receive(Running({campaign: plan.terms for campaign, plan in self._running.items()}), self._now)
        self._intents.forget(self._running)
        if any(staffed.shared for staffed, _ in self._around.staffing().values()):
            await self._share()

    async def _share(self) -> None:
        """See how many diallers there are, each of which takes its part of the operators."""
        before = self._place
        with contextlib.suppress(SQLAlchemyError):
            self._place = await self._paperwork.ask(self._around.attempts.place, utc_now())
        if self._place != before:
            self._told.clear()

    async def _sleep(self) -> None:
        deadline = self.dialling.deadline
        left = self._habits.look if deadline is None else min(self._habits.look, deadline - self._now)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, left)):
                await self._wake.wait()
        self._wake.clear()

    # One call

    async def _turn(self, campaign: CampaignId) -> bool:
        """Commit, dial, talk, write; whether anybody was due."""
        plan = self._running[campaign]  # as the turn was given; it may stop running meanwhile
        intent = await self._intents.next(campaign)
        if not isinstance(intent, Intent):
            self.dialling.receive(NothingDue(campaign, Seconds(self._now + intent)), self._now)
            return False
        self.dialling.receive(Committed(campaign, intent.attempt), self._now)
        reached: Reached | None = None
        try:
            if not await self._intents.sent(intent, plan):
                self.dialling.receive(Withdrawn(intent.attempt), self._now)
                return True
            reached = await self._call(intent, plan)
        except asyncio.CancelledError:
            _log.warning("outbound.cut_off", attempt=intent.attempt)
            raise
        self.dialling.receive(Over(intent.attempt, reached), self._now)
        return True

    async def _call(self, intent: Intent, plan: Plan) -> Reached | None:
        attempt = intent.attempt
        try:
            answered = await self._around.line.dial(Dial(attempt, intent.contact.number, plan.shown, plan.ring, plan.flow))
        except CarrierLost as lost:
            _log.warning("outbound.carrier_lost", attempt=attempt, code=lost.code)
            self._reconciler.doubt(attempt)
            return None
        if isinstance(answered, Ended):
            await self._paperwork.surely(self._around.attempts.ended, attempt, answered, utc_now())
            return answered.reached
        self.dialling.receive(Answered(attempt), self._now)
        await self._talk(answered, intent)
        return Reached.ANSWERED

    async def _talk(self, answered: A, intent: Intent) -> None:
        """Let somebody talk, and write what it came to."""
        attempts, talker = self._around.attempts, self._around.talker
        try:
            if (call := talker.call(answered)) is not None:
                await self._paperwork.surely(attempts.answered, intent.attempt, call)
            talked = await talker.talk(answered, intent)
            if talked.waited is not None:
                found = talked.outcome is Outcome.TRANSFERRED
                self.dialling.receive(Asked(intent.attempt, talked.waited, found), self._now)
        except EngineError as error:
            _log.error("outbound.talk", attempt=intent.attempt, code=error.code)
            await self._paperwork.surely(attempts.give_up, intent.attempt, f"answered, and the talk broke down: {error.code}")
        else:
            ended = Ended(Reached.ANSWERED, Seconds(talked.seconds))
            await self._paperwork.surely(attempts.ended, intent.attempt, ended, utc_now(), talked)

    # Beside the calls

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW.total_seconds())
            await self._paperwork.surely(self._around.attempts.renew, utc_now())

    async def _reconcile(self) -> None:
        while True:
            try:
                if (now := self._around.clock()) is not None:
                    await self._reconciler.take_over(now)
                if await self._reconciler.ask():
                    self._look_again()
            except SQLAlchemyError as error:
                _log.error("outbound.database", error=type(error).__name__)
            except CarrierLost as lost:
                _log.warning("outbound.carrier_lost", code=lost.code)
            await asyncio.sleep(self._habits.reconcile)

    def _look_again(self) -> None:
        """Somebody may be due now, or nobody any more."""
        for campaign in self._running:
            if not self._intents.read_ahead(campaign):
                self.dialling.wake(campaign)
        self._wake.set()

    def _start(self, work: Coroutine[Any, Any, bool]) -> None:
        task = asyncio.create_task(work)
        self._turns.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[bool]) -> None:
        """A turn is over; a bug in one must not look like silence."""
        self._turns.discard(task)
        self._wake.set()
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            _log.error("outbound.bug", exc_info=error)
            self.stop()
        elif task.result():
            self._look_again()
