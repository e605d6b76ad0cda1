"""``PUT /api/v1/campaigns/{campaign}/operators``: how many live operators can take a campaign's calls, told to this engine."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from engine.access.permissions import Permission
from engine.outbound.dialling import STALE, Staffed
from engine.outbound.pacing import Operators
from engine.runtime.outbound.staffing import Staffing
from engine.server.api.repeats import Repeatable
from engine.server.api.shapes import Body, Named
from engine.server.campaigning import named
from engine.server.entrance import Visitor, requires

_Runner = Annotated[Visitor, requires(Permission.RUN_CAMPAIGNS)]
_Count = Annotated[int, Field(ge=0, le=100_000)]


class Floor(Body):
    """Those who take this engine's calls of this campaign, as they are now; on a break they are neither free nor busy."""

    free: _Count = Field(examples=[3])
    busy: _Count = Field(examples=[9])
    waiting: _Count = Field(0, description="People who wait for one.")
    shared: bool = Field(
        default=False,
        description="Every engine is told of the same ones: each counts on its part alone. Else they are this engine's.",
    )


def operators(staffing: Staffing) -> APIRouter:
    """The part of the API."""
    router = APIRouter(prefix="/campaigns/{campaign}", tags=["Campaigns"], route_class=Repeatable)
    forgotten = f"Tell it every few seconds: after {STALE:g} s nobody counts as free, and nobody is called."

    @router.put(
        "/operators",
        status_code=204,
        description=f"Say how many operators are free, for campaigns whose calls end at them. {forgotten}",
    )
    async def tell(visitor: _Runner, campaign: Named, body: Floor) -> None:
        kept = await asyncio.to_thread(named, visitor, campaign)
        staffing.tell(Staffed(kept.id, Operators(body.free, body.busy), body.waiting, body.shared))

    return router
