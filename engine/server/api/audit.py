"""``/api/v1/audit``: who did what, and whether the chain holds; as on the page *Settings*, *Audit*."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, Json

from engine.access.chain import Break, Head
from engine.access.permissions import Permission
from engine.server.api.shapes import Day, Page, Paged, Shape, Text
from engine.server.console.pages.audit import as_kept, verified
from engine.server.console.signing import house_of
from engine.server.entrance import Visitor, requires
from engine.store.audit import Asked

_Auditor = Annotated[Visitor, requires(Permission.READ_AUDIT)]


class Rows(Paged):
    """Which rows; what is left out narrows nothing."""

    who: Text = ""
    what: Text = ""
    subject: Text = ""
    since: Day | None = None


class Row(Shape):
    """A link of the chain."""

    number: int
    at: str = Field(description="UTC, ISO 8601 with microseconds.")
    who: str
    what: str
    subject: str
    address: str
    details: Json[Any]


class LinkedRow(BaseModel):
    """A row with its hash."""

    row: Row
    hash: str


class Verified(BaseModel):
    """Whether the chain holds."""

    head: int = Field(description="The last row's number.")
    holds: bool
    breaks: Sequence[Break] = Field(description="The first places where it does not.")


def audit() -> APIRouter:
    """The part of the API."""
    router = APIRouter(prefix="/audit", tags=["Audit"])
    verifying = asyncio.Lock()  # it reads the whole chain

    @router.get("")
    async def rows(visitor: _Auditor, wanted: Annotated[Rows, Query()]) -> Page[LinkedRow]:
        """Who did what, the newest first."""
        begin = None if wanted.since is None else datetime.combine(wanted.since, time(), UTC)
        asked = Asked(as_kept(wanted.who), as_kept(wanted.what), as_kept(wanted.subject), begin, wanted.before)
        limit, trail = wanted.limit, house_of(visitor).trail
        found = await asyncio.to_thread(lambda: list(trail.rows(asked, most=limit + 1)))
        items = [LinkedRow(row=Row.model_validate(entry), hash=hash_) for entry, hash_ in found[:limit]]
        return Page(items=items, next=str(items[-1].row.number) if len(found) > limit else None)

    @router.get("/head")
    async def head(visitor: _Auditor) -> Head:
        """The last row's number and hash: what is exported, to be compared later."""
        return await asyncio.to_thread(house_of(visitor).trail.head)

    @router.get("/verification")
    async def verify(visitor: _Auditor) -> Verified:
        """Read the whole chain."""
        async with verifying:
            number, breaks = await asyncio.to_thread(verified, house_of(visitor).trail)
        return Verified(head=number, holds=not breaks, breaks=breaks)

    return router
