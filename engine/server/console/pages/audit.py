"""The audit chain as a page: who did what, by filters, and whether the chain holds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from engine.access.chain import Break, Entry
from engine.access.deeds import Deed
from engine.access.permissions import Permission
from engine.server.console.rendering import form, page
from engine.server.console.signing import house_of
from engine.server.entrance import Visitor, requires
from engine.store.audit import Asked, Trail, harmless

_ROWS: Final = 50
_BREAKS: Final = 20  # told at most

_Auditor = Annotated[Visitor, requires(Permission.READ_AUDIT)]


def audit_pages() -> APIRouter:
    """The pages."""
    router = APIRouter()
    verifying = asyncio.Lock()  # it reads the whole chain

    @router.get("/settings/audit")
    async def show(
        visitor: _Auditor, who: str = "", what: str = "", subject: str = "", since: str = "", before: str = ""
    ) -> HTMLResponse:
        asked = Asked(as_kept(who), as_kept(what), as_kept(subject), _day(since), _number(before))
        return await _page(visitor, asked, since=since)

    @router.post("/settings/audit/verify")
    async def verify(visitor: _Auditor, request: Request) -> HTMLResponse:
        await form(request)
        trail = house_of(visitor).trail
        async with verifying:
            head, breaks = await asyncio.to_thread(verified, trail)
        return await _page(visitor, Asked(), verified=head, breaks=breaks)

    return router


async def _page(
    visitor: Visitor, asked: Asked, *, since: str = "", verified: int | None = None, breaks: Sequence[Break] = ()
) -> HTMLResponse:
    rows = await asyncio.to_thread(_rows, house_of(visitor).trail, asked)
    return page(
        visitor,
        "settings_audit.html",
        rows=rows[:_ROWS],
        more=len(rows) > _ROWS,
        asked=asked,
        since=since,
        deeds=list(Deed),
        verified=verified,
        breaks=breaks,
    )


def _rows(trail: Trail, asked: Asked) -> Sequence[Entry]:
    return [entry for entry, _ in trail.rows(asked, most=_ROWS + 1)]


def verified(trail: Trail) -> tuple[int, Sequence[Break]]:
    """The chain's last row, and the first places where it does not hold."""
    return trail.head().number, list(islice(trail.breaks(), _BREAKS))


def as_kept(text: str) -> str | None:
    """Text as the chain keeps it; empty narrows nothing."""
    return harmless(text.strip(), 200) or None


def _day(text: str) -> datetime | None:
    """A day as a browser's field writes it, from its beginning in UTC; what is none narrows nothing."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
