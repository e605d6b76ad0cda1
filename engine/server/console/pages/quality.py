"""*Quality*: how calls are judged, by day, team, agent and question; what waits for a person; appeals and their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from engine.access.deeds import Deed
from engine.access.permissions import Permission
from engine.core.errors import MediaError
from engine.privacy import mask_text
from engine.qa.appeals import Answer, AppealState, Terms, due, is_late
from engine.qa.checks import Verdict
from engine.qa.report.charts import Point, trend
from engine.qa.report.figures import Estimate, Scores
from engine.server.console.pages.calls import UnreadFilter, day_of, number_of_page
from engine.server.console.pages.records import Records
from engine.server.console.rendering import form, page, see
from engine.server.console.texts import texts_in
from engine.server.entrance import Refused, Visitor, requires
from engine.store.appeals import Appeals, KeptAppeal
from engine.store.figures import NOTHING, Chosen, Sum
from engine.store.finding import Found, of_days
from engine.store.overruling import LONGEST

_SHOWN_DAYS: Final = 28  # where nobody chose
_LONGEST_BY_DAY: Final = 31  # days; a longer trend goes by weeks
_MOST_DAYS: Final = 3 * 366
_WIDTH: Final = 860  # pixels of a trend
_PAGE: Final = 50
_MOST_ROWS: Final = 200  # teams or agents of one table
_LONGEST_NAME: Final = 128
_MOST_APPEALS: Final = 200

_Seer = Annotated[Visitor, requires(Permission.SEE_SCORES)]


@dataclass(frozen=True, slots=True)
class Row:
    """A team, an agent or a span of days."""

    name: str
    sum: Sum
    mean: Estimate | None
    link: str = ""


@dataclass(frozen=True, slots=True)
class OpenAppeal:
    """An appeal as it is listed."""

    kept: KeptAppeal
    call: Found
    late: bool
    due: datetime


def quality_pages(records: Records) -> APIRouter:
    """The pages."""
    router = APIRouter()

    @router.get("/quality")
    async def figures(visitor: _Seer, request: Request) -> HTMLResponse:
        return await asyncio.to_thread(_figures, records, visitor, _asked(request))

    @router.get("/quality/waiting")
    async def waiting(visitor: _Seer, request: Request) -> HTMLResponse:
        return await asyncio.to_thread(_waiting, records, visitor, _asked(request))

    @router.get("/quality/appeals")
    async def appeals(visitor: _Seer) -> HTMLResponse:
        return await asyncio.to_thread(_appeals, records, visitor)

    @router.post("/quality/appeals/{number}")
    async def answer(visitor: Annotated[Visitor, requires(Permission.REVIEW)], request: Request, number: str) -> Response:
        fields = await form(request)
        return await _answered(records, visitor, number, fields)

    return router


def _asked(request: Request) -> dict[str, str]:
    names = ("card", "since", "until", "team", "agent", "before")
    return {name: request.query_params.get(name, "").strip()[:_LONGEST_NAME] for name in names}


def _figures(records: Records, visitor: Visitor, asked: dict[str, str]) -> HTMLResponse:
    cards = records.figures.cards()
    context: dict[str, Any] = {
        "asked": asked,
        "cards": cards,
        "choices": records.choices(visitor.principal.teams),
        "wrong": False,
    }
    try:
        first, last = _days(records, asked)
    except UnreadFilter:
        return page(visitor, "quality.html", 422, **{**context, "wrong": True}, whole=None)
    asked |= {"card": asked["card"] or (cards[0] if cards else ""), "since": str(first), "until": str(last)}
    chosen = _chosen(records, visitor, asked, first, last)
    each = 1 if (last - first).days < _LONGEST_BY_DAY else 7
    points = [
        _row(str(first + timedelta(days=place * each)), it) for place, it in enumerate(records.figures.by_time(chosen, each))
    ]
    people = records.figures.people(chosen)
    shown: dict[str, Any] = {
        "whole": _row("", sum((it for *_, it in people), NOTHING)),
        "points": points,
        "trend": _drawn(visitor, points),
        "teams": _ranked([(name, it) for name, _, it in people], lambda name: _link(asked, team=name)),
        "agents": _ranked([(name, it) for _, name, it in people], lambda name: _link(asked, agent=name)),
        "failures": [(it, often, _calls(asked, it)) for it, often in records.figures.failures(chosen)],
    }
    return page(visitor, "quality.html", **context, **shown)


def _ranked(sums: Sequence[tuple[str, Sum]], link: Callable[[str], str]) -> list[Row]:
    """A row a name, the lowest mean first; those without a mean last."""
    found: dict[str, Sum] = {}
    for name, it in sums:
        found[name] = found.get(name, NOTHING) + it
    rows = [_row(name, it, link(name)) for name, it in found.items()]
    rows.sort(key=lambda row: (row.sum.mean is None, row.sum.mean or 0.0, row.name))
    return rows[:_MOST_ROWS]


def _days(records: Records, asked: Mapping[str, str]) -> tuple[date, date]:
    last = day_of(asked["until"], "until") or datetime.now(records.zone).date()
    first = day_of(asked["since"], "since") or last - timedelta(days=_SHOWN_DAYS - 1)
    if not 0 <= (last - first).days < _MOST_DAYS:
        raise UnreadFilter("since")
    return first, last


def _chosen(records: Records, visitor: Visitor, asked: Mapping[str, str], first: date, last: date) -> Chosen:
    since, until = of_days(first, last, records.zone)
    team, agent = asked["team"] or None, asked["agent"] or None
    return Chosen(asked["card"], since or datetime.now(UTC), until or datetime.now(UTC), team, agent, visitor.principal.teams)


def _row(name: str, it: Sum, link: str = "") -> Row:
    if it.mean is None:
        return Row(name, it, None, link)
    spread = max(0.0, it.squares - it.scored * it.mean**2)
    return Row(name, it, Scores(it.scored, it.scored, it.mean / 100.0, spread / 10_000.0).mean, link)


def _drawn(visitor: Visitor, rows: Sequence[Row]) -> Markup:
    t = texts_in(visitor.language)
    points = [
        Point(it.name[5:], it.mean, it.sum.calls, t("quality.point", day=it.name, points=_points(it), calls=it.sum.calls))
        for it in rows
    ]
    return Markup(trend(points, _WIDTH, t("quality.trend")))  # noqa: S704 -- it is made of elements, texts escaped


def _points(row: Row) -> str:
    return "–" if row.sum.mean is None else f"{row.sum.mean:.1f}"


def _link(asked: Mapping[str, str], **other: str) -> str:
    return f"/quality?{urlencode({name: value for name, value in {**asked, **other}.items() if value})}"


def _calls(asked: Mapping[str, str], question: str) -> str:
    narrowed = {name: asked[name] for name in ("since", "until", "team", "agent") if asked[name]}
    failed = f"{asked['card']}|{question}"
    return f"/calls?{urlencode({**narrowed, 'failed': failed})}"


def _waiting(records: Records, visitor: Visitor, asked: dict[str, str]) -> HTMLResponse:
    cards = records.figures.cards()
    asked |= {"card": asked["card"] or (cards[0] if cards else "")}
    try:
        before = number_of_page(asked["before"])
    except UnreadFilter:
        before = None
    chosen = _chosen(records, visitor, asked, date(1971, 1, 1), date(2199, 12, 31))
    found = records.figures.waiting(chosen, before, _PAGE + 1)
    shown = found[:_PAGE]
    older = f"/quality/waiting?{urlencode({'card': asked['card'], 'before': shown[-1].number})}" if len(found) > _PAGE else None
    return page(visitor, "waiting.html", rows=shown, older=older, cards=cards, asked=asked, zone=records.zone)


def _appeals(records: Records, visitor: Visitor, wrong: int | None = None) -> HTMLResponse:
    listed = _seen(records, visitor, Appeals(records.database).listed())
    listed.sort(key=lambda it: (it.kept.appeal.state is not AppealState.OPEN, not it.late, it.due))
    status = 200 if wrong is None else 422
    context: dict[str, Any] = {"appeals": listed[:_MOST_APPEALS], "wrong": wrong, "zone": records.zone, "longest": LONGEST}
    return page(visitor, "appeals.html", status, **context)


def _seen(records: Records, visitor: Visitor, kept: Sequence[KeptAppeal]) -> list[OpenAppeal]:
    terms, now = Terms(), datetime.now(UTC)
    return [
        OpenAppeal(it, call, is_late(it.appeal, terms, now), due(it.appeal, terms))
        for it in kept
        if (call := records.finding.call(it.call)) is not None and visitor.principal.sees(call.team)
    ]


async def _answered(records: Records, visitor: Visitor, number: str, fields: Mapping[str, str]) -> Response:
    kept = await asyncio.to_thread(_one, records, number)
    found = await records.seen_by(visitor, kept.call)
    why, right = mask_text(fields.get("why", ""))[:LONGEST], fields.get("verdict", "")
    try:
        answer = Answer(visitor.principal.id, datetime.now(UTC), why, Verdict(right) if right else None)
        await visitor.note(Deed.CHANGED, f"call {found.name}", appeal=kept.id, verdict=right or "rejected")
        await asyncio.to_thread(Appeals(records.database).answer, kept.id, answer)
    except (MediaError, ValueError):
        return await asyncio.to_thread(_appeals, records, visitor, kept.id)
    await asyncio.to_thread(records.renew, kept.call)
    return see("/quality/appeals")


def _one(records: Records, number: str) -> KeptAppeal:
    found = [it for it in Appeals(records.database).listed() if str(it.id) == number]
    if not found:
        raise Refused(404, "no such appeal", "There is no such thing.\n")
    return found[0]
