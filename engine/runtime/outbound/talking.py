"""The engine talks to people who answer: its flow, with what the list says about them.

What a talk came to is read from its steps, while it goes or, after a crash, from the journal. An opt-out is written the moment it
is said. Who answered, a person or a machine, is judged before the flow begins, where somebody judges it (:data:`Judge`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Final, Protocol, cast

from engine.core.call import CallId, Errand
from engine.core.errors import EngineError
from engine.core.units import Language, Seconds
from engine.dialogue.codec import actions_from_json, from_json
from engine.dialogue.events import Event
from engine.outbound.campaign import OPT_OUTS
from engine.outbound.contacts import Contact, Outcome
from engine.outbound.talk import Taken, Talk, outcome_of
from engine.runtime.outbound.listening import Listening
from engine.runtime.outbound.paperwork import Paperwork, utc_now
from engine.runtime.tape import NOTHING_BEFORE, Beforehand
from engine.runtime.watch import Watch
from engine.store.attempts import Intent, Talked
from engine.store.journal import Journal, Step
from engine.store.lists import Entry, Lists
from engine.telephony.leg import Leg

_REFUSED: Final = "refused"
SAID_IN_A_CALL: Final = "said so in a call"


class NobodyTalked(EngineError):
    """Somebody answered, and the engine did not talk to them."""

    code: ClassVar[str] = "outbound.nobody_talked"


class LineLost(EngineError):
    """Nobody hung up: the line, or what carries it, was lost in the middle of a talk that had come to nothing yet."""

    code: ClassVar[str] = "outbound.line_lost"


class Takes(Protocol):
    """What carries a call; :class:`engine.runtime.engine.Engine` does."""

    async def take(
        self,
        leg: Leg,
        language: Language | None = None,
        watch: Watch | None = None,
        errand: Errand | None = None,
        before: Beforehand = NOTHING_BEFORE,
    ) -> str:
        """Carry a call to its end; its outcome. Safe to cancel."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Who answered."""

    leg: Leg
    """To go on with: what was listened to is not lost to it."""

    answerer: str | None
    """``person``, ``machine`` ...; ``None`` = nobody judged it."""

    talk: bool = True
    """Whether to begin the flow; else it is hung up."""

    outcome: Outcome | None = None
    """What it came to without a talk: a message that was left."""

    seconds: float = 0.0
    """How long that took."""

    before: Beforehand = NOTHING_BEFORE
    """What was heard meanwhile; it belongs on the recording."""

    late: Callable[[], str | None] = lambda: None
    """Whom the line turned out to be while the flow spoke; ``None``: what was judged stands."""

    lost: Callable[[], bool] = lambda: False
    """Whether the line was lost: nobody hung up."""


Judge = Callable[[Leg, Intent], Awaitable[Judged]]


async def everybody_is_a_person(leg: Leg, intent: Intent) -> Judged:  # noqa: ARG001
    """Judge nobody."""
    return Judged(leg, None)


class EngineTalker:
    """See :class:`engine.runtime.outbound.line.Talker`."""

    def __init__(self, engine: Takes, lists: Lists, journal: Journal, judge: Judge = everybody_is_a_person) -> None:
        self._engine = engine
        self._lists = lists
        self._journal = journal
        self._judge = judge
        self._paperwork = Paperwork()

    def call(self, answered: Leg) -> CallId | None:
        """See :class:`engine.runtime.outbound.line.Talker`."""
        return answered.facts.id

    async def talk(self, answered: Leg, intent: Intent) -> Talked:
        """See :class:`engine.runtime.outbound.line.Talker`. Safe to cancel."""
        judged = await self._judge(answered, intent)
        if not judged.talk:
            await judged.leg.hang_up()
            _expect_line(judged)
            return Talked(judged.outcome, judged.seconds, judged.answerer)
        contact = intent.contact
        heard = Listening(partial(self._opted_out, contact, answered.facts.id))
        errand = Errand(contact.fields, contact.zone)
        outcome = await self._engine.take(judged.leg, contact.language, heard, errand, judged.before)
        await heard.written()
        if outcome == _REFUSED:
            raise NobodyTalked("expected the engine to take the call, found it full, or its flow missing")
        talk = outcome_of(heard.taken)
        if talk.outcome is None and (machine := judged.late()) is not None:
            return Talked(None, heard.until, machine)
        if talk.outcome is None and not talk.call_later:
            _expect_line(judged)
        return replace(talked(talk, heard.until, judged.answerer), waited=heard.waited)

    async def recall(self, call: CallId) -> Talked | None:
        """See :class:`engine.runtime.outbound.line.Talker`. Safe to cancel."""
        steps = await asyncio.to_thread(self._journal.steps, call)
        if not steps:
            return None
        talk = outcome_of(_taken(it) for it in steps)
        return None if talk.outcome is None and not talk.call_later else talked(talk, steps[-1].at, None)

    async def _opted_out(self, contact: Contact, call: CallId, only_here: bool) -> None:
        campaign = contact.campaign if only_here else None
        entries = [Entry(OPT_OUTS, who, f"call:{call}", SAID_IN_A_CALL, campaign) for who in (contact.person, contact.number)]
        await self._paperwork.surely(self._lists.block, entries, utc_now())


def _expect_line(judged: Judged) -> None:
    if judged.lost():
        raise LineLost("expected the talk to come to its end, found the line lost")


def _taken(step: Step) -> Taken:
    event = None if step.event is None else from_json(step.event)
    return cast("Event | None", event), actions_from_json(step.actions)


def talked(talk: Talk, seconds: Seconds, answerer: str | None) -> Talked:
    """As the campaign's rules take it: who spoke with us and hung up is not who hung up at once."""
    outcome = talk.outcome or (Outcome.HUNG_UP if talk.spoke and not talk.call_later else None)
    return Talked(outcome, seconds, answerer, talk.call_later, talk.call_at, details=talk.details)
