"""*Campaigns*: how far each one's people came, at which rate, what it came to hour by hour; what only a person can settle.

Campaigns are paused and stopped here, and go on after a pause; they are made, and started after a preview, on the command line.
A person's number is shown in full to who runs campaigns, for they must look an uncertain attempt up; to others its end alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine

from engine.access.deeds import Deed
from engine.access.permissions import Permission
from engine.core.errors import ConfigError
from engine.outbound.campaign import CampaignRefused, CampaignState, Order, after
from engine.outbound.contacts import AttemptId
from engine.outbound.forecast import Pace
from engine.server.console.rendering import page, see
from engine.server.console.signing import fields_of, house_of
from engine.server.console.texts import texts_in
from engine.server.entrance import Refused, Visitor, requires
from engine.store.audit import harmless
from engine.store.campaign_account import CampaignAccount, account, pace_of
from engine.store.campaign_view import Funnel, Hour, LastTalk, counts, funnel, hours, last_hour, last_talks
from engine.store.campaigns import Campaigns, KeptCampaign
from engine.store.uncertain import Uncertain, settle, uncertain

_SHOWN: Final = 100  # uncertain attempts
_LONGEST: Final = 200  # characters of a reason

_ORDERS: Final = {
    Order.PAUSE: Permission.STOP_CAMPAIGNS,
    Order.RESUME: Permission.RUN_CAMPAIGNS,
    Order.STOP: Permission.STOP_CAMPAIGNS,
}

_Seer = Annotated[Visitor, requires(Permission.SEE_CAMPAIGNS)]
_Stopper = Annotated[Visitor, requires(Permission.STOP_CAMPAIGNS)]
_Runner = Annotated[Visitor, requires(Permission.RUN_CAMPAIGNS)]


@dataclass(frozen=True, slots=True)
class Shown:
    """All of one campaign that its page shows, of about the same moment."""

    kept: KeptCampaign
    account: CampaignAccount
    funnel: Funnel
    pace: Pace
    last_hour: int
    hours: list[Hour]
    uncertain: list[Uncertain]
    talks: list[LastTalk]


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
    database = _database(visitor)
    kept, numbers = await asyncio.to_thread(lambda: (Campaigns(database).all(), counts(database)))
    return page(visitor, "campaigns.html", campaigns=kept, counts=numbers, named=_named_in(visitor.language))


async def _page(visitor: Visitor, name: str, status: int = 200, wrong: str | None = None) -> HTMLResponse:
    shown = await asyncio.to_thread(_shown, _database(visitor), name)
    state = shown.kept.state
    orders = {it: after(state, it) is not None and visitor.may(permission) for it, permission in _ORDERS.items()}
    whole = visitor.may(Permission.RUN_CAMPAIGNS)
    shared = {"named": _named_in(visitor.language), "zone": _zone(), "most": _SHOWN}
    return page(visitor, "campaign.html", status, it=shown, orders=orders, wrong=wrong, whole=whole, **shared)


async def _ordered(visitor: Visitor, request: Request, name: str, order: Order) -> Response:
    """Tell a campaign what to do, where it can be done as it stands; what is told is kept before it is done."""
    reason = (await fields_of(request, "reason"))["reason"].strip()
    reason, database = harmless(reason, _LONGEST), _database(visitor)
    kept = await asyncio.to_thread(_named, database, name)
    if after(kept.state, order) is None:
        return await _page(visitor, name, 409, "campaign.refused")
    await visitor.note(Deed.CHANGED, f"campaign {name}", order=order.value, state=kept.state.value, reason=reason)
    said = f"{visitor.principal.id}: {reason}" if reason else visitor.principal.id
    try:
        await asyncio.to_thread(Campaigns(database).tell, name, order, datetime.now(UTC), said)
    except CampaignRefused:  # somebody was quicker
        return await _page(visitor, name, 409, "campaign.refused")
    return see(f"/campaigns/{name}")


async def _settled(visitor: Visitor, request: Request, name: str) -> Response:
    fields, database = await fields_of(request, "attempt", "note"), _database(visitor)
    attempt, note = AttemptId(fields["attempt"]), harmless(fields["note"].strip(), _LONGEST)
    kept = await asyncio.to_thread(_named, database, name)
    listed = await asyncio.to_thread(uncertain, database, kept.id)
    if not note or attempt not in {it.attempt for it in listed}:
        return await _page(visitor, name, 409 if note else 422, "campaign.settled_already" if note else "campaign.note_missing")
    await visitor.note(Deed.CHANGED, f"campaign {name}", settled=attempt, note=note)
    await asyncio.to_thread(settle, database, attempt, f"{visitor.principal.id}: {note}", datetime.now(UTC))
    return see(f"/campaigns/{name}#uncertain")


def _shown(database: Engine, name: str) -> Shown:
    kept, now = _named(database, name), datetime.now(UTC)
    return Shown(
        kept=kept,
        account=account(database, kept.id),
        funnel=funnel(database, kept.id),
        pace=pace_of(database, kept.id),
        last_hour=last_hour(database, kept.id, now) if kept.state is CampaignState.RUNNING else 0,
        hours=list(hours(database, kept.id, now)),
        uncertain=list(uncertain(database, kept.id)),
        talks=list(last_talks(database, kept.id)),
    )


def _named(database: Engine, name: str) -> KeptCampaign:
    try:
        return Campaigns(database).named(harmless(name, _LONGEST))
    except ConfigError:
        raise Refused(404, "campaign", "There is no such campaign.\n") from None


def _named_in(language: str) -> dict[str, Callable[[str], str]]:
    """What states, purposes, outcomes and steps of the funnel are called."""
    t = texts_in(language)
    return {
        "state": lambda it: t(f"campaigns.state.{it}"),
        "purpose": lambda it: t(f"campaigns.purpose.{it}"),
        "outcome": lambda it: t(f"campaigns.outcome.{it}"),
        "step": lambda it: t(f"campaign.funnel.{it}"),
    }


def _database(visitor: Visitor) -> Engine:
    return house_of(visitor).trail.database


def _zone() -> tzinfo:
    """In which times are shown: the machine's."""
    return datetime.now().astimezone().tzinfo or UTC
