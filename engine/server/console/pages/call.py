"""One call: its sound and words, what was decided, how it was judged, and what people say of that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from engine.access.permissions import Permission
from engine.core.errors import MediaError
from engine.qa.checks import Verdict
from engine.server.console.pages.records import Records
from engine.server.console.rendering import form, page, see
from engine.server.entrance import Visitor, requires
from engine.server.judging import Said, judge, object_to
from engine.server.playing import Playing
from engine.server.web_files import HEADERS
from engine.store.finding import Found
from engine.store.overruling import LONGEST, OverrulingRefused

_Finder = Annotated[Visitor, requires(Permission.FIND_CALLS)]
_Hearer = Annotated[Visitor, requires(Permission.HEAR_CALLS)]


def call_pages(records: Records, playing: Playing) -> APIRouter:
    """The pages."""
    router = APIRouter()

    @router.get("/calls/{name}")
    async def call(visitor: _Finder, name: str) -> HTMLResponse:
        found = await records.seen_by(visitor, name)
        return await asyncio.to_thread(_shown, records, visitor, found)

    @router.get("/calls/{name}/waveform")
    async def waveform(visitor: _Hearer, name: str) -> Response:
        found = await records.seen_by(visitor, name)
        shape = await asyncio.to_thread(playing.shape, found)
        return JSONResponse({"seconds": shape.seconds, "channels": shape.channels}, headers=HEADERS)

    @router.get("/calls/{name}/sound")
    async def sound(visitor: _Hearer, request: Request, name: str) -> Response:
        found = await records.seen_by(visitor, name)
        return await playing.sound(visitor, found, request.headers.get("range", ""))

    @router.post("/calls/{name}/verdicts")
    async def overrule(visitor: Annotated[Visitor, requires(Permission.REVIEW)], request: Request, name: str) -> Response:
        fields = await form(request)
        found = await records.seen_by(visitor, name)
        return await asyncio.to_thread(_judged, records, visitor, found, fields)

    @router.post("/calls/{name}/appeals")
    async def appeal(visitor: Annotated[Visitor, requires(Permission.APPEAL)], request: Request, name: str) -> Response:
        fields = await form(request)
        found = await records.seen_by(visitor, name)
        return await _objected(records, visitor, found, fields)

    return router


def _shown(records: Records, visitor: Visitor, found: Found, wrong: str | None = None, about: str = "") -> HTMLResponse:
    kept = records.kept.read(found)
    context: dict[str, Any] = {"kept": kept, "found": found, "zone": records.zone, "wrong": wrong, "about": about}
    hears = kept.audio is not None and visitor.may(Permission.HEAR_CALLS)
    told = {name: value for name, value in kept.facts.items() if name not in {"agent", "team", "queue", "direction"}}
    status = HTTPStatus.OK if wrong is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return page(visitor, "call.html", status, **context, here=_path(found), hears=hears, told=told, longest=LONGEST)


def _path(found: Found) -> str:
    return f"/calls/{quote(found.name, safe='')}"


def _judged(records: Records, visitor: Visitor, found: Found, fields: Mapping[str, str]) -> Response:
    said = _said(fields)
    try:
        verdict = Verdict(fields.get("verdict", ""))
    except ValueError:
        return _shown(records, visitor, found, "call.wrong_verdict", said.question)
    try:
        judge(records, visitor, found, said, verdict)
    except OverrulingRefused:
        return _shown(records, visitor, found, "call.not_overruled" if said.why.strip() else "call.why_missing", said.question)
    return _seen_again(found, said)


async def _objected(records: Records, visitor: Visitor, found: Found, fields: Mapping[str, str]) -> Response:
    said = _said(fields)
    try:
        await object_to(records, visitor, found, said)
    except MediaError:
        wrong = "call.not_objected" if said.why.strip() else "call.why_missing"
        return await asyncio.to_thread(_shown, records, visitor, found, wrong, said.question)
    return _seen_again(found, said)


def _said(fields: Mapping[str, str]) -> Said:
    return Said(fields.get("card", ""), fields.get("question", ""), fields.get("why", ""))


def _seen_again(found: Found, said: Said) -> Response:
    return see(f"{_path(found)}#{quote(said.question, safe='')}")
