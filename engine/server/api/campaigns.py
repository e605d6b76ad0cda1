"""``/api/v1/campaigns``: how campaigns stand, what they are told, what only a person can settle; as on the page *Campaigns*."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from engine.access.permissions import Permission
from engine.outbound.campaign import CampaignRefused, CampaignState, Order
from engine.outbound.contacts import ContactState
from engine.outbound.forecast import Pace
from engine.server.api.repeats import Repeatable
from engine.server.api.shapes import Body, Named, Page, Shape, Text, Word
from engine.server.campaigning import Settled, Shown, database_of, named, number_shown, settle_by_hand, shown, tell
from engine.server.entrance import Visitor, requires
from engine.server.problems import refused
from engine.store.campaign_view import Funnel, Hour, LastTalk, contacts, counts
from engine.store.campaigns import Campaigns, KeptCampaign

_Seer = Annotated[Visitor, requires(Permission.SEE_CAMPAIGNS)]
_Stopper = Annotated[Visitor, requires(Permission.STOP_CAMPAIGNS)]
_Runner = Annotated[Visitor, requires(Permission.RUN_CAMPAIGNS)]
_NOT_AS_IT_STANDS: Final[dict[int | str, dict[str, Any]]] = {409: {"description": "Not as the campaign stands"}}


class Told(Body):
    """Why a campaign is paused, stopped, or goes on."""

    reason: Text = Field("", examples=["The rate was wrong."])


class Settle(Body):
    """What somebody found who looked an uncertain attempt up."""

    note: Word = Field(examples=["The carrier's list has no such call."])


class Listed(BaseModel):
    """Which contacts."""

    state: ContactState | None = None
    cursor: str | None = Field(None, pattern=r"^[0-9A-Za-z-]{1,64}$", description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=100, description="Entries of a page.")


class Campaign(Shape):
    """How a campaign stands."""

    name: str
    state: CampaignState
    reason: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    contacts: Mapping[ContactState, int] = Field({}, description="How many in each state.")


class CampaignRead(Campaign):
    """All of one campaign."""

    outcomes: Mapping[str, int]
    funnel: Funnel
    pace: Pace
    last_hour: int = Field(description="Calls made in the last 60 minutes.")
    next_at: datetime | None
    hours: Sequence[Hour]
    talks: Sequence[LastTalk]
    uncertain: int
    disagreements: Sequence[str] = Field(description="What does not agree in the account; empty where all does.")


class UncertainAttempt(Shape):
    """An attempt of which nobody knows whether it was made."""

    attempt: str
    number: str = Field(description="Whole to who runs campaigns, else its end.")
    dialled_at: datetime | None
    call: str | None
    reason: str | None


class ContactShown(Shape):
    """One row of a campaign's list."""

    id: str
    number: str = Field(description="Whole to who runs campaigns, else its end.")
    language: str
    state: ContactState
    outcome: str | None
    reason: str | None
    attempts: int
    next_at: datetime | None
    done_at: datetime | None


def campaigns() -> APIRouter:
    """The part of the API."""
    router = APIRouter(prefix="/campaigns", tags=["Campaigns"])

    @router.get("")
    async def all_(visitor: _Seer) -> list[Campaign]:
        """Every campaign, the newest first."""
        database = database_of(visitor)
        kept, numbers = await asyncio.to_thread(lambda: (Campaigns(database).all(), counts(database)))
        return [_campaign(it, numbers.get(it.id, {})) for it in kept]

    @router.get("/{campaign}")
    async def one(visitor: _Seer, campaign: Named) -> CampaignRead:
        """One campaign."""
        return _read(await asyncio.to_thread(shown, visitor, campaign))

    @router.get("/{campaign}/contacts")
    async def listed(visitor: _Seer, campaign: Named, asked: Annotated[Listed, Query()]) -> Page[ContactShown]:
        """Whom it calls, in no order that says anything."""
        kept = await asyncio.to_thread(named, visitor, campaign)
        database, limit = database_of(visitor), asked.limit
        rows = await asyncio.to_thread(contacts, database, kept.id, asked.state, asked.cursor, limit + 1)
        items = [ContactShown.model_validate(it) for it in rows[:limit]]
        for it in items:
            it.number = number_shown(visitor, it.number)
        return Page(items=items, next=rows[limit - 1].id if len(rows) > limit else None)

    @router.get("/{campaign}/uncertain")
    async def unsure(visitor: _Seer, campaign: Named) -> list[UncertainAttempt]:
        """Attempts of which nobody knows whether they were made, the oldest first."""
        found = await asyncio.to_thread(shown, visitor, campaign)
        items = [UncertainAttempt.model_validate(it) for it in found.uncertain]
        for it in items:
            it.number = number_shown(visitor, it.number)
        return items

    return router


def campaign_orders() -> APIRouter:
    """The part of the API in which they are told what to do."""
    router = APIRouter(prefix="/campaigns/{campaign}", tags=["Campaigns"], route_class=Repeatable)

    @router.post("/uncertain/{attempt}/settled", status_code=204, responses=_NOT_AS_IT_STANDS)
    async def settle(visitor: _Runner, campaign: Named, attempt: Named, body: Settle) -> None:
        """Say that you have looked at it: it is over for this contact."""
        try:
            await settle_by_hand(visitor, campaign, attempt, body.note)
        except Settled:
            raise refused("not-uncertain", "No uncertain attempt of this campaign, or none any more.") from None

    @router.post("/pause", responses=_NOT_AS_IT_STANDS)
    async def pause(visitor: _Stopper, campaign: Named, body: Told) -> Campaign:
        """Call nobody for now; calls in progress come to their end."""
        return await _told(visitor, campaign, Order.PAUSE, body)

    @router.post("/stop", responses=_NOT_AS_IT_STANDS)
    async def stop(visitor: _Stopper, campaign: Named, body: Told) -> Campaign:
        """End it for good."""
        return await _told(visitor, campaign, Order.STOP, body)

    @router.post("/resume", responses=_NOT_AS_IT_STANDS)
    async def resume(visitor: _Runner, campaign: Named, body: Told) -> Campaign:
        """Let it go on after a pause."""
        return await _told(visitor, campaign, Order.RESUME, body)

    return router


async def _told(visitor: Visitor, name: str, order: Order, body: Told) -> Campaign:
    try:
        kept = await tell(visitor, name, order, body.reason)
    except CampaignRefused:
        raise refused("not-as-it-stands", f"The campaign can't {order.value} as it stands.") from None
    numbers = await asyncio.to_thread(counts, database_of(visitor))
    return _campaign(kept, numbers.get(kept.id, {}))


def _campaign(kept: KeptCampaign, numbers: Mapping[ContactState, int]) -> Campaign:
    return Campaign.model_validate(kept).model_copy(update={"contacts": dict(numbers)})


def _read(it: Shown) -> CampaignRead:
    return CampaignRead(
        **_campaign(it.kept, it.account.states).model_dump(),
        outcomes={str(name): number for name, number in it.account.outcomes.items()},
        funnel=it.funnel,
        pace=it.pace,
        last_hour=it.last_hour,
        next_at=it.account.next_at,
        hours=it.hours,
        talks=it.talks,
        uncertain=len(it.uncertain),
        disagreements=it.account.disagreements,
    )
