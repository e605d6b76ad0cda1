"""*Settings, unmasked sound*: one person asks for a call and says why, another allows it, then the first may hear it for a while.

The rules are those of :mod:`engine.access.unmasking`; what is asked, allowed and heard is kept before it is done. The engine
keeps no copy of what is not masked: it is read from where it was seen, and sent whole.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from engine.access.permissions import Permission
from engine.access.unmasking import LASTS, LONGEST_REASON, SHORTEST_REASON, Asking, NotAllowed, Stage
from engine.config import Config
from engine.core.errors import MediaError, ModelBroken
from engine.privacy import mask_text
from engine.runtime.originals import Original, original
from engine.server.console.pages.records import Records
from engine.server.console.rendering import page, see
from engine.server.console.signing import fields_of, house_of
from engine.server.console.texts import texts_in
from engine.server.entrance import Refused, Visitor, requires
from engine.server.web_files import HEADERS
from engine.store.accounts import Actor
from engine.store.keys import KeyFile, keys_of
from engine.store.unmasking import Unmasking

_AT_ONCE: Final = 2  # originals that are decoded or sent at a time: each is in memory
_PATH: Final = "/settings/unmasked"

_Hearer = Annotated[Visitor, requires(Permission.HEAR_UNMASKED)]


def unmasked_pages(config: Config, records: Records) -> APIRouter:
    """The pages."""
    router = APIRouter()
    sending = asyncio.Semaphore(_AT_ONCE)

    @router.get(_PATH)
    async def show(visitor: _Hearer, call: str = "") -> HTMLResponse:
        return await _page(visitor, call=call[:200])

    @router.post(_PATH)
    async def ask(visitor: _Hearer, request: Request) -> Response:
        fields = await fields_of(request, "call", "reason")
        return await _asked(records, visitor, fields["call"].strip(), mask_text(fields["reason"].strip())[:LONGEST_REASON])

    @router.post(_PATH + "/{number}/allow")
    async def allow(visitor: _Hearer, request: Request, number: str) -> Response:
        await fields_of(request)
        return await _allowed(records, visitor, await _found(visitor, number))

    @router.get(_PATH + "/{number}/sound")
    async def sound(visitor: _Hearer, number: str) -> Response:
        asking = await _found(visitor, number)
        found = await records.seen_by(visitor, asking.call)
        if not await asyncio.to_thread(_of(visitor).hear, _actor(visitor), asking, datetime.now(UTC)):
            raise Refused(403, "unmasked", "Nobody has allowed you this, or the time is over.\n")
        async with sending:
            keys = keys_of(config.store.key_file)
            heard = await asyncio.to_thread(_original, records, found.content, keys)
        return StreamingResponse(heard.pieces(), headers={**HEADERS, "Content-Length": str(heard.size)}, media_type="audio/wav")

    return router


async def _page(visitor: Visitor, status: int = 200, wrong: str | None = None, call: str = "") -> HTMLResponse:
    now = datetime.now(UTC)
    listed = await asyncio.to_thread(_of(visitor).listed, now)
    context: dict[str, Any] = {"askings": [(it, it.stage(now)) for it in listed], "wrong": wrong, "call": call}
    lasts = int(LASTS.total_seconds() // 60)
    shared = {"stages": Stage, "lasts": lasts, "shortest": SHORTEST_REASON, "longest": LONGEST_REASON}
    t, zone = texts_in(visitor.language), datetime.now().astimezone().tzinfo
    said = {stage: t(f"unmasked.stage.{stage}") for stage in Stage}.get
    return page(visitor, "settings_unmasked.html", status, **context, **shared, zone=zone, said=said, me=visitor.principal.id)


async def _asked(records: Records, visitor: Visitor, call: str, reason: str) -> Response:
    if len(reason) < SHORTEST_REASON:
        return await _page(visitor, 422, "unmasked.reason_missing", call)
    try:
        found = await records.seen_by(visitor, call)
    except Refused:
        return await _page(visitor, 422, "unmasked.no_call", call)
    if found.content is None:
        return await _page(visitor, 422, "unmasked.no_call", call)
    await asyncio.to_thread(_of(visitor).ask, _actor(visitor), found.name, reason)
    return see(_PATH)


async def _allowed(records: Records, visitor: Visitor, asking: Asking) -> Response:
    await records.seen_by(visitor, asking.call)
    wrong = await asyncio.to_thread(_of(visitor).allow, _actor(visitor), asking, datetime.now(UTC))
    return see(_PATH) if wrong is None else await _page(visitor, 409, _SAID[wrong])


_SAID: Final = {
    NotAllowed.SAME: "unmasked.not_yourself",
    NotAllowed.TIED: "unmasked.tied",
    NotAllowed.LATE: "unmasked.late",
}


async def _found(visitor: Visitor, number: str) -> Asking:
    right = number.isascii() and number.isdigit() and len(number) < 10
    found = await asyncio.to_thread(_of(visitor).find, int(number), datetime.now(UTC)) if right else None
    if found is None:
        raise Refused(404, "no such asking", "There is no such thing.\n")
    return found


def _original(records: Records, content: str | None, keys: KeyFile | None) -> Original:
    try:
        return original(records.database, content or "", records.kept.folder, keys)
    except (MediaError, ModelBroken):
        raise Refused(404, "no original", "The recording lies no longer where it was seen, or can't be read.\n") from None


def _of(visitor: Visitor) -> Unmasking:
    return Unmasking(house_of(visitor).trail)


def _actor(visitor: Visitor) -> Actor:
    return Actor(visitor.principal.id, visitor.address)
