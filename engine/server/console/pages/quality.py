"""*Quality*: how calls are judged, by day, team, agent and question; what waits for a person; appeals and their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from engine.access.permissions import Permission
from engine.core.errors import MediaError
from engine.qa.checks import Verdict
from engine.qa.report.charts import Point, trend
from engine.server.console.pages.calls import UnreadFilter, day_of, number_of_page
from engine.server.console.pages.records import Records
from engine.server.console.rendering import form, page, see
from engine.server.console.texts import texts_in
from engine.server.entrance import Visitor, requires
from engine.server.judging import answer, appeals_seen
from engine.server.standing import FIRST_DAY, LAST_DAY, Narrowed, Row, days, standing
from engine.store.overruling import LONGEST

_WIDTH: Final = 860  # pixels of a trend
_PAGE: Final = 50
_LONGEST_NAME: Final = 128
_MOST_APPEALS: Final = 200

_Seer = Annotated[Visitor, requires(Permission.SEE_SCORES)]


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
    async def decide(visitor: Annotated[Visitor, requires(Permission.REVIEW)], request: Request, number: str) -> Response:
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
    found = standing(records, visitor.principal, Narrowed(asked["card"], first, last, asked["team"], asked["agent"]))
    shown: dict[str, Any] = {
        "whole": found.whole,
        "points": found.points,
        "trend": _drawn(visitor, found.points),
        "teams": [replace(it, link=_link(asked, team=it.name)) for it in found.teams],
        "agents": [replace(it, link=_link(asked, agent=it.name)) for it in found.agents],
        "failures": [(it, often, _calls(asked, it)) for it, often in found.failures],
    }
    return page(visitor, "quality.html", **context, **shown)


def _days(records: Records, asked: Mapping[str, str]) -> tuple[date, date]:
    found = days(records, day_of(asked["since"], "since"), day_of(asked["until"], "until"))
    if found is None:
        raise UnreadFilter("since")
    return found


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
    chosen = Narrowed(asked["card"], FIRST_DAY, LAST_DAY, asked["team"], asked["agent"]).seen_by(visitor.principal, records)
    found = records.figures.waiting(chosen, before, _PAGE + 1)
    shown = found[:_PAGE]
    older = f"/quality/waiting?{urlencode({'card': asked['card'], 'before': shown[-1].number})}" if len(found) > _PAGE else None
    return page(visitor, "waiting.html", rows=shown, older=older, cards=cards, asked=asked, zone=records.zone)


def _appeals(records: Records, visitor: Visitor, wrong: str = "") -> HTMLResponse:
    status = 422 if wrong else 200
    listed = appeals_seen(records, visitor, 0, _MOST_APPEALS)
    context: dict[str, Any] = {"appeals": listed, "wrong": wrong, "zone": records.zone, "longest": LONGEST}
    return page(visitor, "appeals.html", status, **context)


async def _answered(records: Records, visitor: Visitor, number: str, fields: Mapping[str, str]) -> Response:
    right = fields.get("verdict", "")
    try:
        await answer(records, visitor, number, fields.get("why", ""), Verdict(right) if right else None)
    except (MediaError, ValueError):
        return await asyncio.to_thread(_appeals, records, visitor, number)
    return see("/quality/appeals")
