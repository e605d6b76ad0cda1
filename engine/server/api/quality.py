"""``/api/v1/quality``: how calls are judged, what waits for a person, appeals and their answers; as on the page *Quality*."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from engine.access.permissions import Permission
from engine.core.errors import MediaError
from engine.qa.appeals import AppealState
from engine.qa.checks import Verdict
from engine.server.api.repeats import Repeatable
from engine.server.api.shapes import (
    AppealShown,
    Body,
    Day,
    Failures,
    Figures,
    Named,
    Page,
    Paged,
    Reason,
    Scores,
    Text,
    WaitingCall,
)
from engine.server.console.pages.records import Records
from engine.server.entrance import Visitor, requires
from engine.server.judging import OpenAppeal, answer, appeals_seen
from engine.server.problems import refused, unfit
from engine.server.standing import FIRST_DAY, LAST_DAY, MOST_DAYS, Narrowed, Row, days, standing
from engine.store.appeals import KeptAppeal

_Seer = Annotated[Visitor, requires(Permission.SEE_SCORES)]
_Reviewer = Annotated[Visitor, requires(Permission.REVIEW)]
_AGAINST_THE_RULES: Final[dict[int | str, dict[str, Any]]] = {409: {"description": "The rules don't allow it"}}


class Decide(Body):
    """An appeal's answer."""

    right: Verdict | None = Field(None, description="Right instead; `null` = the engine's is.", examples=["pass"], strict=False)
    why: Reason = Field(examples=["It was said at 0:12."])


class Whose(BaseModel):
    """Whose calls; what is left out narrows nothing."""

    card: Text = Field("", description="Left out: the first.")
    team: Text = ""
    agent: Text = ""


class Span(Whose):
    """Of which days."""

    since: Day | None = None
    until: Day | None = None


class Waiting(Whose, Paged):
    """Which of those that wait."""


class Listed(Paged):
    """Which appeals."""

    state: AppealState | None = None


def quality(records: Records) -> APIRouter:
    """The part of the API."""
    router = APIRouter(prefix="/quality", tags=["Quality"], route_class=Repeatable)

    @router.get("/scores")
    async def scores(visitor: _Seer, asked: Annotated[Span, Query()]) -> Scores:
        """The mean, its trend, teams, agents and failed questions of one card; of the last four weeks where no day is given."""
        span = days(records, asked.since, asked.until)
        if span is None:
            raise unfit(f"expected the first day before the last, and {MOST_DAYS} days at most", "since")
        return await asyncio.to_thread(_scores, records, visitor, Narrowed(asked.card, *span, asked.team, asked.agent))

    @router.get("/waiting")
    async def waiting(visitor: _Seer, asked: Annotated[Waiting, Query()]) -> Page[WaitingCall]:
        """Calls with verdicts that a person should look at, the newest first."""

        def found() -> Page[WaitingCall]:
            narrowed = Narrowed(asked.card or _first(records), FIRST_DAY, LAST_DAY, asked.team, asked.agent)
            chosen = narrowed.seen_by(visitor.principal, records)
            rows, limit = records.figures.waiting(chosen, asked.before, asked.limit + 1), asked.limit
            items = [WaitingCall.model_validate(it) for it in rows[:limit]]
            return Page(items=items, next=str(rows[limit - 1].number) if len(rows) > limit else None)

        return await asyncio.to_thread(found)

    @router.get("/appeals")
    async def appeals(visitor: _Seer, asked: Annotated[Listed, Query()]) -> Page[AppealShown]:
        """Appeals: what waits for an answer first, and of that what is late."""
        begin, states = asked.before or 0, tuple(AppealState) if asked.state is None else (asked.state,)
        listed = await asyncio.to_thread(appeals_seen, records, visitor, begin, asked.limit + 1, states)
        items = [_open_appeal_shown(it) for it in listed[: asked.limit]]
        return Page(items=items, next=str(begin + asked.limit) if len(listed) > asked.limit else None)

    @router.post("/appeals/{appeal}/answer", responses=_AGAINST_THE_RULES)
    async def decide(visitor: _Reviewer, appeal: Named, body: Decide) -> AppealShown:
        """Decide an appeal; not of a verdict that one gave, objected to, or was about."""
        try:
            return appeal_shown(await answer(records, visitor, appeal, body.why, body.right))
        except MediaError:
            detail = "It is decided, or you are not who may decide it, or the verdict can't be right."
            raise refused("not-answered", detail) from None

    return router


def appeal_shown(kept: KeptAppeal) -> AppealShown:
    """An appeal as it is told."""
    it = kept.appeal
    return AppealShown(
        number=kept.id,
        call=kept.call,
        card=kept.card.name,
        question=it.question,
        verdict=kept.verdict,
        by=it.by,
        at=it.at,
        text=it.text,
        state=it.state.value,
        answer=it.answer and it.answer.text,
        answered_by=it.answer and it.answer.by,
    )


def _open_appeal_shown(it: OpenAppeal) -> AppealShown:
    return appeal_shown(it.kept).model_copy(update={"due": it.due, "late": it.late})


def _scores(records: Records, visitor: Visitor, narrowed: Narrowed) -> Scores:
    cards = list(records.figures.cards())
    chosen = Narrowed(narrowed.card or next(iter(cards), ""), narrowed.first, narrowed.last, narrowed.team, narrowed.agent)
    found = standing(records, visitor.principal, chosen)
    return Scores(
        card=chosen.card,
        cards=cards,
        since=chosen.first,
        until=chosen.last,
        whole=_figures(found.whole),
        points=[_figures(it) for it in found.points],
        teams=[_figures(it) for it in found.teams],
        agents=[_figures(it) for it in found.agents],
        failures=[Failures(question=it, calls=often) for it, often in found.failures],
    )


def _first(records: Records) -> str:
    return next(iter(records.figures.cards()), "")


def _figures(row: Row) -> Figures:
    mean, low, high = (None,) * 3 if row.mean is None else (100 * it for it in (row.mean.value, row.mean.low, row.mean.high))
    return Figures(name=row.name, calls=row.sum.calls, scored=row.sum.scored, fatal=row.sum.fatal, mean=mean, low=low, high=high)
