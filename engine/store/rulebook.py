"""The rules as diallers ask them: each time about what is in the database at that moment, in the transaction that acts on it."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from sqlalchemy.orm import Session

from engine.outbound.contacts import Outcome
from engine.outbound.retries import Next, after
from engine.outbound.rules import Verdict, verdict
from engine.outbound.windows import zone_named
from engine.store.attempts import Talked
from engine.store.campaigns import policy_of
from engine.store.contacts import contact_of, standing_of, tried_of
from engine.store.lists import opted_out
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow


class CampaignRules:
    """The ``Rulebook`` of :class:`engine.store.attempts.Attempts`."""

    def verdict(self, session: Session, contact: ContactRow, now: datetime) -> Verdict:
        """Whether this contact may be dialled now."""
        policy, standing = standing_of(session, contact, now)
        return verdict(contact_of(contact), standing, policy, now)

    def follows(self, session: Session, contact: ContactRow, attempt: AttemptRow, talked: Talked | None) -> Next:
        """What follows an attempt that has ended; an opt-out that nobody has written down yet is, in this transaction."""
        if attempt.outcome == Outcome.OPTED_OUT:
            opted_out(session, attempt, attempt.ended_at or attempt.committed_at)
        policy = policy_of(session.get_one(CampaignRow, contact.campaign))
        zone = zone_named(contact.zone) or UTC
        tried = tried_of(session, contact.id)
        return after(tried, policy.retries, policy.calendar, zone, call_again=_asked_for(talked, zone))


def _asked_for(talked: Talked | None, zone: tzinfo) -> datetime | None:
    """When they want to be called, by everybody's clock."""
    if talked is None or talked.call_at is None:
        return None
    return talked.call_at.replace(tzinfo=zone).astimezone(UTC)
