"""The campaigns' rules as the dialler's transactions ask them: everything is read in the session that commits the answer."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from engine.outbound.contacts import Outcome
from engine.outbound.retries import Next, after
from engine.outbound.rules import Verdict, verdict
from engine.store.attempts import Talked
from engine.store.campaigns import policy_of
from engine.store.contacts import contact_of, standing_of, tried_of
from engine.store.lists import opted_out
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow
from engine.store.samples import utc


class CampaignRules:
    """See :class:`engine.store.attempts.Rulebook`."""

    def verdict(self, session: Session, contact: ContactRow, now: datetime) -> Verdict:
        """Ask every rule there is about what the database says at this moment."""
        policy, standing = standing_of(session, contact, now)
        return verdict(contact_of(contact), standing, policy, now)

    def follows(self, session: Session, contact: ContactRow, attempt: AttemptRow, talked: Talked | None) -> Next:
        """Heed an opt-out, and say what is next."""
        assert attempt.ended_at is not None
        if talked is not None and talked.outcome is Outcome.OPTED_OUT:
            opted_out(session, attempt, utc(attempt.ended_at))
        policy = policy_of(session.get_one(CampaignRow, contact.campaign))
        zone = ZoneInfo(contact.zone)
        call_at = None if talked is None or talked.call_at is None else talked.call_at.replace(tzinfo=zone).astimezone(UTC)
        return after(tried_of(session, contact.id), policy.retries, policy.calendar, zone, call_again=call_at)
