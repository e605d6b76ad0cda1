"""A campaign of made-up people who may be called at any hour, for tests and proofs of the dialler."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from engine.core.units import Language
from engine.outbound.campaign import Order
from engine.outbound.campaign_file import parse_campaign
from engine.outbound.contacts import CampaignId, Contact, ContactId, PersonKey
from engine.store.campaigns import Campaigns
from engine.store.contacts import take_list

_FILE: Final = """
campaign: {name}
purpose: notice
flow: flow.yaml
languages: [en]
zone: Europe/Berlin
country: DE
windows: {{mon-sun: 0:00-24:00}}
holidays: none
consent: not_needed
caps: {{calls: {{day: 9}}}}
retries:
  {{attempts: 3, busy: 0.5s, no_answer: 0.5s, rejected: none, congested: 0.5s, failed: 0.5s, machine: none}}
pacing: {{lines: {lines}, calls_a_second: 100, ring: 20s, operators: {operators}}}
priority: {priority}
"""
"""Waits are short, so that a proof sees people called again."""
ATTEMPTS: Final = 3


def number_of(place: int) -> str:
    """The number of a made-up person; no number of this range is anybody's (Bundesnetzagentur, numbers for media use)."""
    return f"+49301{place:07}"


def made_up(
    database: Engine, people: int, *, name: str = "proof", lines: int = 20, priority: int = 5, operators: bool = False
) -> CampaignId:
    """Keep such a campaign with so many contacts, and start it; with ``operators``, its calls end at live ones."""
    text = _FILE.format(name=name, lines=lines, priority=priority, operators="yes" if operators else "no")
    now, campaigns = datetime.now(UTC), Campaigns(database)
    kept = campaigns.put(parse_campaign(text, f"{name}.yaml"), text, "", now)
    contacts = [
        Contact(
            id=ContactId(""), campaign=kept.id, person=PersonKey(f"person-{place}"), number=number_of(place),
            language=Language("en"), zone="Europe/Berlin", fields={}, consent=None, consent_at=None,
        )
        for place in range(people)
    ]  # fmt: skip
    take_list(database, kept.id, list(enumerate(contacts, 2)))
    campaigns.tell(name, Order.START, now)
    return kept.id
