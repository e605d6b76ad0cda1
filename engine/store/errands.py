"""What quality control may know of calls that we made: which campaign, whether there was consent, and the sums to be said.

Names and birthdays of people are none of its business: of a contact's fields only sums are told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.outbound.campaign import FieldKind
from engine.store.campaigns import readable_policy_of
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow


def errands(session: Session) -> Mapping[str, Mapping[str, str]]:
    """The facts of every call that a campaign made, by the call's id."""
    made = (
        select(AttemptRow.call, CampaignRow, ContactRow.consent, ContactRow.fields)
        .join(CampaignRow, CampaignRow.id == AttemptRow.campaign)
        .join(ContactRow, ContactRow.id == AttemptRow.contact)
        .where(AttemptRow.call.is_not(None))
    )
    return {call: _facts(campaign, consent, fields) for call, campaign, consent, fields in session.execute(made) if call}


def _facts(campaign: CampaignRow, consent: str | None, fields: str) -> Mapping[str, str]:
    policy, written = readable_policy_of(campaign), json.loads(fields)
    known = {} if policy is None else policy.fields
    sums = {name: written[name] for name, field in known.items() if field.kind is FieldKind.AMOUNT and name in written}
    return {**sums, "campaign": campaign.name, "consent": "yes" if consent else "no"}
