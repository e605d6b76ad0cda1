"""What people see of campaigns and tell them, on a page or by a program: it is kept in the audit chain before it is done."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from engine.access.deeds import Deed
from engine.access.permissions import Permission
from engine.core.errors import ConfigError
from engine.outbound.campaign import CampaignRefused, CampaignState, Order, after
from engine.outbound.contacts import AttemptId
from engine.outbound.forecast import Pace
from engine.server.console.signing import house_of
from engine.server.entrance import Refused, Visitor
from engine.store.audit import harmless
from engine.store.campaign_account import CampaignAccount, account
from engine.store.campaign_view import Funnel, Hour, LastTalk, funnel, hours, last_hour, last_talks
from engine.store.campaigns import Campaigns, KeptCampaign
from engine.store.uncertain import Uncertain, settle, uncertain

LONGEST: Final = 200  # characters of a reason, or of a note

PERMISSIONS: Final = {
    Order.PAUSE: Permission.STOP_CAMPAIGNS,
    Order.RESUME: Permission.RUN_CAMPAIGNS,
    Order.STOP: Permission.STOP_CAMPAIGNS,
}
"""What each order takes."""


class Settled(Exception):
    """There is nothing to settle: nobody is unsure of this attempt, or nobody is any more."""


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is shown of one campaign, of about the same moment."""

    kept: KeptCampaign
    account: CampaignAccount
    funnel: Funnel
    pace: Pace
    last_hour: int
    hours: list[Hour]
    uncertain: list[Uncertain]
    talks: list[LastTalk]


def named(visitor: Visitor, name: str) -> KeptCampaign:
    """The campaign that is called so.

    Raises:
        Refused: there is none.
    """
    try:
        return Campaigns(database_of(visitor)).named(harmless(name, LONGEST))
    except ConfigError:
        raise Refused(404, "campaign", "There is no such campaign.\n") from None


def shown(visitor: Visitor, name: str) -> Shown:
    """One campaign.

    Raises:
        Refused: there is none.
    """
    kept, now, database = named(visitor, name), datetime.now(UTC), database_of(visitor)
    drawn = account(database, kept.id)
    return Shown(
        kept=kept,
        account=drawn,
        funnel=funnel(database, kept.id, drawn),
        pace=drawn.pace,
        last_hour=last_hour(database, kept.id, now) if kept.state is CampaignState.RUNNING else 0,
        hours=list(hours(database, kept.id, now)),
        uncertain=list(uncertain(database, kept.id)),
        talks=list(last_talks(database, kept.id)),
    )


async def tell(visitor: Visitor, name: str, order: Order, reason: str) -> KeptCampaign:
    """Tell a campaign what to do.

    Raises:
        Refused: there is none.
        CampaignRefused: it can't be done as it stands.
    """
    reason, campaigns = harmless(reason.strip(), LONGEST), Campaigns(database_of(visitor))
    kept = await asyncio.to_thread(named, visitor, name)
    if after(kept.state, order) is None:
        raise CampaignRefused(f"expected a campaign to {order.value}, found one that is {kept.state.value}")
    await visitor.note(Deed.CHANGED, f"campaign {kept.name}", order=order.value, state=kept.state.value, reason=reason)
    said = f"{visitor.principal.id}: {reason}" if reason else visitor.principal.id
    return await asyncio.to_thread(campaigns.tell, kept.name, order, datetime.now(UTC), said)


async def settle_by_hand(visitor: Visitor, name: str, attempt: str, note: str) -> None:
    """Say that somebody has looked at an attempt of which nobody knew whether it was made; ``note`` is not empty.

    Raises:
        Refused: there is no such campaign.
        Settled: it is none of those.
    """
    note, database = harmless(note.strip(), LONGEST), database_of(visitor)
    kept = await asyncio.to_thread(named, visitor, name)
    listed = await asyncio.to_thread(uncertain, database, kept.id)
    if attempt not in {it.attempt for it in listed}:
        raise Settled("expected an uncertain attempt of the campaign, found another")
    await visitor.note(Deed.CHANGED, f"campaign {kept.name}", settled=attempt, note=note)
    await asyncio.to_thread(settle, database, AttemptId(attempt), f"{visitor.principal.id}: {note}", datetime.now(UTC))


def number_shown(visitor: Visitor, number: str) -> str:
    """In full to who runs campaigns, for they must look an uncertain attempt up; to others its end alone."""
    return number if visitor.may(Permission.RUN_CAMPAIGNS) else f"…{number[-2:]}"


def database_of(visitor: Visitor) -> Engine:
    """Where campaigns are."""
    return house_of(visitor).trail.database
