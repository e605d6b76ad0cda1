"""*Campaigns*: how far each one's people came, at which rate, what it came to hour by hour; what only a person can settle.

Campaigns are paused and stopped here, and go on after a pause; they are made, and started after a preview, on the command line.
A person's number is shown in full to who runs campaigns, for they must look an uncertain attempt up; to others its end alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from engine.access.permissions import Permission
from engine.outbound.campaign import CampaignRefused, Order, after
from engine.server.campaigning import PERMISSIONS, Settled, database_of, number_shown, settle_by_hand, shown, tell
from engine.server.console.rendering import page, see
from engine.server.console.signing import fields_of
from engine.server.console.texts import texts_in
from engine.server.entrance import Visitor, requires
from engine.store.campaign_view import counts
from engine.store.campaigns import Campaigns

_SHOWN: Final = 100  # uncertain attempts

_Seer = Annotated[Visitor, requires(Permission.SEE_CAMPAIGNS)]
_Stopper = Annotated[Visitor, requires(Permission.STOP_CAMPAIGNS)]
_Runner = Annotated[Visitor, requires(Permission.RUN_CAMPAIGNS)]


def campaign_pages() -> APIRouter:
    """The pages."""
    router = APIRouter()

    @router.get("/campaigns")
    async def all_(visitor: _Seer) -> HTMLResponse:
        return await _list(visitor)

    @router.get("/campaigns/{name}")
    async def one(visitor: _Seer, name: str) -> HTMLResponse:
        return await _page(visitor, name)

    @router.post("/campaigns/{name}/pause")
    async def pause(visitor: _Stopper, request: Request, name: str) -> Response:
        return await _ordered(visitor, request, name, Order.PAUSE)

    @router.post("/campaigns/{name}/stop")
    async def stop(visitor: _Stopper, request: Request, name: str) -> Response:
        return await _ordered(visitor, request, name, Order.STOP)

    @router.post("/campaigns/{name}/resume")
    async def resume(visitor: _Runner, request: Request, name: str) -> Response:
        return await _ordered(visitor, request, name, Order.RESUME)

    @router.post("/campaigns/{name}/uncertain")
    async def look_at(visitor: _Runner, request: Request, name: str) -> Response:
        return await _settled(visitor, request, name)

    return router


async def _list(visitor: Visitor) -> HTMLResponse:
    database = database_of(visitor)
    kept, numbers = await asyncio.to_thread(lambda: (Campaigns(database).all(), counts(database)))
    return page(visitor, "campaigns.html", campaigns=kept, counts=numbers, named=_named_in(visitor.language))


async def _page(visitor: Visitor, name: str, status: int = 200, wrong: str | None = None) -> HTMLResponse:
    found = await asyncio.to_thread(shown, visitor, name)
    state = found.kept.state
    orders = {it: after(state, it) is not None and visitor.may(permission) for it, permission in PERMISSIONS.items()}
    shared = {"named": _named_in(visitor.language), "zone": _zone(), "most": _SHOWN}
    whole, number = visitor.may(Permission.RUN_CAMPAIGNS), lambda one: number_shown(visitor, one.number)
    return page(visitor, "campaign.html", status, it=found, orders=orders, wrong=wrong, whole=whole, number=number, **shared)


async def _ordered(visitor: Visitor, request: Request, name: str, order: Order) -> Response:
    reason = (await fields_of(request, "reason"))["reason"]
    try:
        await tell(visitor, name, order, reason)
    except CampaignRefused:
        return await _page(visitor, name, 409, "campaign.refused")
    return see(f"/campaigns/{name}")


async def _settled(visitor: Visitor, request: Request, name: str) -> Response:
    fields = await fields_of(request, "attempt", "note")
    if not fields["note"].strip():
        return await _page(visitor, name, 422, "campaign.note_missing")
    try:
        await settle_by_hand(visitor, name, fields["attempt"], fields["note"])
    except Settled:
        return await _page(visitor, name, 409, "campaign.settled_already")
    return see(f"/campaigns/{name}#uncertain")


def _named_in(language: str) -> dict[str, Callable[[str], str]]:
    """What states, purposes, outcomes and steps of the funnel are called."""
    t = texts_in(language)
    return {
        "state": lambda it: t(f"campaigns.state.{it}"),
        "purpose": lambda it: t(f"campaigns.purpose.{it}"),
        "outcome": lambda it: t(f"campaigns.outcome.{it}"),
        "step": lambda it: t(f"campaign.funnel.{it}"),
    }


def _zone() -> tzinfo:
    """In which times are shown: the machine's."""
    return datetime.now().astimezone().tzinfo or UTC
