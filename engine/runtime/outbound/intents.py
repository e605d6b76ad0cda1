"""Intents to dial: committed and marked, or withdrawn; whatever the database says, nothing is sent that is not both."""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.core.units import Seconds
from engine.outbound.attempt import Fate
from engine.outbound.contacts import AttemptId, CampaignId, ContactId
from engine.runtime.outbound.around import Around
from engine.runtime.outbound.line import Plan
from engine.runtime.outbound.paperwork import TROUBLE, Paperwork, utc_now
from engine.store.attempts import Intent

_log = structlog.get_logger(__name__)
_AT_ONCE: Final = 64  # contacts read ahead
_ASKED: Final = 16  # contacts that a turn asks the rules about before others have theirs
_LONGEST_SLEEP: Final = Seconds(5.0)  # lists, files and hours change without telling us


class Intents:
    """One dialler's."""

    def __init__(self, around: Around[Any], paperwork: Paperwork) -> None:
        self._around = around
        self._paperwork = paperwork
        self._queues: dict[CampaignId, deque[ContactId]] = {}

    def forget(self, running: Container[CampaignId]) -> None:
        """Read nothing ahead of campaigns that do not run."""
        for gone in [it for it in self._queues if it not in running]:
            del self._queues[gone]

    def read_ahead(self, campaign: CampaignId) -> bool:
        """Whether some were read ahead, so that there is no need to look who is due."""
        return bool(self._queues.get(campaign))

    async def next(self, campaign: CampaignId) -> Intent | Seconds:
        """Commit one; else, how long to wait until the next look."""
        attempt, now = AttemptId(uuid4().hex), self._around.clock()
        if now is None:
            return _LONGEST_SLEEP
        try:
            return await self._paperwork.ask(self._commit, campaign, attempt, now)
        except SQLAlchemyError as error:
            _log.error("outbound.database", error=type(error).__name__)
        await self._paperwork.surely(self._around.attempts.withdraw, attempt, Fate.NEVER_SENT, utc_now())
        return TROUBLE

    async def sent(self, intent: Intent, plan: Plan) -> bool:
        """Mark it as dialled; ``False``: it must not be sent, and is withdrawn."""
        return await self._fits(intent, plan) and await self._marked(intent.attempt)

    def _commit(self, campaign: CampaignId, attempt: AttemptId, now: datetime) -> Intent | Seconds:
        """In the thread: go through contacts until one may be dialled; else, how long to wait until the next look."""
        attempts = self._around.attempts
        queue = self._queues.setdefault(campaign, deque())
        if not queue:
            queue.extend(attempts.due(campaign, now, _AT_ONCE))
        for _ in range(min(_ASKED, len(queue))):
            intent = attempts.commit(queue.popleft(), attempt, now)
            if intent is not None:
                return intent
        if queue:
            return Seconds(0.0)
        due = attempts.next_due(campaign)
        if due is None:
            self._around.plans.settle(now)
        return _LONGEST_SLEEP if due is None else Seconds(min(_LONGEST_SLEEP, max(0.0, (due - now).total_seconds())))

    async def _fits(self, intent: Intent, plan: Plan) -> bool:
        """Whether all can be said that is to be said; who answers must not hear half a sentence."""
        why = self._around.unfit(intent.contact, plan)
        if why is not None:
            await self._paperwork.surely(self._around.attempts.skip, intent.attempt, why, utc_now())
        return why is None

    async def _marked(self, attempt: AttemptId) -> bool:
        """Mark it as dialled; ``False``: it must not be sent, and is withdrawn whatever the database knows of the mark."""
        try:
            if await self._paperwork.ask(self._mark, attempt):
                return True
        except SQLAlchemyError as error:
            _log.error("outbound.database", error=type(error).__name__)
        for fate in (Fate.NEVER_SENT, Fate.NEVER_SEEN):
            await self._paperwork.surely(self._around.attempts.withdraw, attempt, fate, utc_now())
        return False

    def _mark(self, attempt: AttemptId) -> bool:
        """In the thread: by the time at which it is done, however long it was waited for."""
        return self._around.attempts.mark(attempt, utc_now())
