"""What people say of a call's verdicts, on a page or by a program: kept in the audit chain, numbers masked, counted at once."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.access.deeds import Deed
from engine.privacy import mask_text
from engine.qa.appeals import Answer, Appeal, AppealState, Terms, due, is_late
from engine.qa.checks import Verdict
from engine.server.console.pages.records import Records
from engine.server.console.signing import house_of
from engine.server.entrance import Refused, Visitor
from engine.store.appeals import Appeals, KeptAppeal
from engine.store.finding import Found
from engine.store.overruling import LONGEST, Overruling, overrule


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of one question's verdict."""

    card: str
    question: str
    why: str


@dataclass(frozen=True, slots=True)
class OpenAppeal:
    """An appeal as it is listed."""

    kept: KeptAppeal
    call: Found
    late: bool
    due: datetime


def judge(records: Records, visitor: Visitor, found: Found, said: Said, verdict: Verdict) -> None:
    """Give a verdict that counts instead of the engine's.

    Raises:
        OverrulingRefused: the rules don't allow it, or there is no such question.
    """
    about = (found.content or "", said.card, said.question)
    details = {"card": said.card, "question": said.question, "verdict": verdict.value}
    told = visitor.told(Deed.CHANGED, f"call {found.name}", details)
    theirs = Overruling(*about, verdict, visitor.principal.id, mask_text(said.why))
    overrule(house_of(visitor).trail, theirs, told, datetime.now(UTC))
    records.renew(theirs.content)


async def object_to(records: Records, visitor: Visitor, found: Found, said: Said) -> KeptAppeal:
    """Open an appeal.

    Raises:
        MediaError: there is no such call, score or question, or the rules don't allow it.
    """
    appeal = Appeal(said.question, visitor.principal.id, datetime.now(UTC), mask_text(said.why)[:LONGEST])
    await visitor.note(Deed.CHANGED, f"call {found.name}", card=said.card, question=said.question, appeal=True)
    return await asyncio.to_thread(Appeals(records.database).open, found.content or "", said.card, appeal)


async def answer(records: Records, visitor: Visitor, number: str, why: str, right: Verdict | None) -> KeptAppeal:
    """Decide an appeal; ``right`` is what is right instead, or the engine's verdict is.

    Raises:
        Refused: there is none of this number, or it is about another team's call.
        MediaError: the rules don't allow it.
    """
    kept = await asyncio.to_thread(_numbered, records, number)
    found = await records.seen_by(visitor, kept.call)
    decided = Answer(visitor.principal.id, datetime.now(UTC), mask_text(why)[:LONGEST], right)
    await visitor.note(Deed.CHANGED, f"call {found.name}", appeal=kept.id, verdict=right.value if right else "rejected")
    answered = await asyncio.to_thread(Appeals(records.database).answer, kept.id, decided)
    await asyncio.to_thread(records.renew, kept.call)
    return answered


def appeals_seen(
    records: Records, visitor: Visitor, first: int, most: int, states: Collection[AppealState] = tuple(AppealState)
) -> list[OpenAppeal]:
    """So many about calls that somebody may see, from the ``first``: what waits for an answer first, and of that what is late."""
    terms, now = Terms(), datetime.now(UTC)
    listed = Appeals(records.database).seen(states, visitor.principal.teams, first, most)
    calls = records.finding.recordings({it.call for it in listed})
    return [
        OpenAppeal(it, calls[it.call], is_late(it.appeal, terms, now), due(it.appeal, terms)) for it in listed if it.call in calls
    ]


def _numbered(records: Records, number: str) -> KeptAppeal:
    right = number.isascii() and number.isdigit() and len(number) < 10
    found = Appeals(records.database).numbered(int(number)) if right else None
    if found is None:
        raise Refused(404, "no such appeal", "There is no such thing.\n")
    return found
