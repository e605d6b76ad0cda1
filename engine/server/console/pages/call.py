"""One call: its sound and words, what was decided, how it was judged, and what people say of that.

Every playback is kept in the audit chain before the first octet is sent. A browser fetches a sound in several parts: of the same
call, to the same person, one row a minute is kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from time import monotonic
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse

from engine.access.deeds import Deed
from engine.access.permissions import Permission
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.privacy import mask_text
from engine.qa.appeals import Appeal, AppealRefused
from engine.qa.checks import Verdict
from engine.runtime.kept_sound import NotThere, part_of
from engine.server.console.pages.records import Records
from engine.server.console.rendering import form, page, see
from engine.server.console.signing import house_of
from engine.server.entrance import Refused, Visitor, requires
from engine.server.web_files import HEADERS
from engine.store.appeals import Appeals
from engine.store.finding import Found
from engine.store.overruling import LONGEST, Overruling, OverrulingRefused, overrule

_NOTED: Final = Seconds(60.0)
_MOST_NOTED: Final = 1_000
_NO_SOUND: Final = "There is no sound of this call.\n"

_Finder = Annotated[Visitor, requires(Permission.FIND_CALLS)]
_Hearer = Annotated[Visitor, requires(Permission.HEAR_CALLS)]


def call_pages(records: Records) -> APIRouter:
    """The pages."""
    router = APIRouter()
    playbacks = _Playbacks()

    @router.get("/calls/{name}")
    async def call(visitor: _Finder, name: str) -> HTMLResponse:
        found = await records.seen_by(visitor, name)
        return await asyncio.to_thread(_shown, records, visitor, found)

    @router.get("/calls/{name}/waveform")
    async def waveform(visitor: _Hearer, name: str) -> Response:
        found = await records.seen_by(visitor, name)
        return await asyncio.to_thread(_waveform, records, found)

    @router.get("/calls/{name}/sound")
    async def sound(visitor: _Hearer, request: Request, name: str) -> Response:
        found = await records.seen_by(visitor, name)
        return await _sound(records, playbacks, visitor, found, request.headers.get("range", ""))

    @router.post("/calls/{name}/verdicts")
    async def judge(visitor: Annotated[Visitor, requires(Permission.REVIEW)], request: Request, name: str) -> Response:
        fields = await form(request)
        found = await records.seen_by(visitor, name)
        return await asyncio.to_thread(_judged, records, visitor, found, fields)

    @router.post("/calls/{name}/appeals")
    async def object_to(visitor: Annotated[Visitor, requires(Permission.APPEAL)], request: Request, name: str) -> Response:
        fields = await form(request)
        found = await records.seen_by(visitor, name)
        return await _objected(records, visitor, found, fields)

    return router


class _Playbacks:
    """Which playbacks have just been kept."""

    def __init__(self) -> None:
        self._noted: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def note(self, visitor: Visitor, name: str) -> None:
        who, now = (visitor.principal.id, name), monotonic()
        if now - self._noted.get(who, -_NOTED) < _NOTED:
            return
        await visitor.note(Deed.HEARD, f"call {name}")
        self._noted[who] = now
        self._noted.move_to_end(who)
        if len(self._noted) > _MOST_NOTED:
            self._noted.popitem(last=False)


def _shown(records: Records, visitor: Visitor, found: Found, wrong: str | None = None, about: str = "") -> HTMLResponse:
    kept = records.kept.read(found)
    context: dict[str, Any] = {"kept": kept, "found": found, "zone": records.zone, "wrong": wrong, "about": about}
    hears = kept.audio is not None and visitor.may(Permission.HEAR_CALLS)
    told = {name: value for name, value in kept.facts.items() if name not in {"agent", "team", "queue", "direction"}}
    status = HTTPStatus.OK if wrong is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return page(visitor, "call.html", status, **context, here=_path(found), hears=hears, told=told, longest=LONGEST)


def _path(found: Found) -> str:
    return f"/calls/{quote(found.name, safe='')}"


def _waveform(records: Records, found: Found) -> Response:
    place = records.kept.audio_of(found)
    if place is None:
        raise Refused(404, "no sound", _NO_SOUND)
    try:
        shape = records.shapes.of(records.kept.folder, place)
    except MediaError:
        raise Refused(404, "no sound", _NO_SOUND) from None
    return JSONResponse({"seconds": shape.seconds, "channels": shape.channels}, headers=HEADERS)


async def _sound(records: Records, playbacks: _Playbacks, visitor: Visitor, found: Found, wanted: str) -> Response:
    place = await asyncio.to_thread(records.kept.audio_of, found)
    if place is None:
        raise Refused(404, "no sound", _NO_SOUND)
    try:
        part, partial = await asyncio.to_thread(part_of, records.kept.folder, place, wanted)
    except NotThere:
        raise Refused(416, "range", "The sound ends before that.\n") from None
    except MediaError:
        raise Refused(404, "no sound", _NO_SOUND) from None
    try:
        await playbacks.note(visitor, found.name)
    except BaseException:
        part.file.close()
        raise
    length = {"Content-Length": str(part.last + 1 - part.first), "Accept-Ranges": "bytes"}
    span = {"Content-Range": f"bytes {part.first}-{part.last}/{part.size}"} if partial else {}
    status = HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK
    return StreamingResponse(part.pieces(), status, {**HEADERS, **length, **span}, "audio/wav")


def _judged(records: Records, visitor: Visitor, found: Found, fields: Mapping[str, str]) -> Response:
    card, question, why = fields.get("card", ""), fields.get("question", ""), mask_text(fields.get("why", ""))
    try:
        verdict = Verdict(fields.get("verdict", ""))
    except ValueError:
        return _shown(records, visitor, found, "call.wrong_verdict", question)
    said = Overruling(found.content or "", card, question, verdict, visitor.principal.id, why)
    details = {"card": card, "question": question, "verdict": verdict.value}
    told = visitor.told(Deed.CHANGED, f"call {found.name}", details)
    try:
        overrule(house_of(visitor).trail, said, told, datetime.now(UTC))
    except OverrulingRefused:
        return _shown(records, visitor, found, "call.not_overruled" if why.strip() else "call.why_missing", question)
    records.renew(said.content)
    return see(f"{_path(found)}#{quote(question, safe='')}")


async def _objected(records: Records, visitor: Visitor, found: Found, fields: Mapping[str, str]) -> Response:
    card, question, why = fields.get("card", ""), fields.get("question", ""), mask_text(fields.get("why", ""))[:LONGEST]
    appeal = Appeal(question, visitor.principal.id, datetime.now(UTC), why)
    await visitor.note(Deed.CHANGED, f"call {found.name}", card=card, question=question, appeal=True)
    try:
        await asyncio.to_thread(Appeals(records.database).open, found.content or "", card, appeal)
    except (AppealRefused, MediaError):
        wrong = "call.not_objected" if why.strip() else "call.why_missing"
        return await asyncio.to_thread(_shown, records, visitor, found, wrong, question)
    return see(f"{_path(found)}#{quote(question, safe='')}")
