"""Campaigns and contacts for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from engine.core.units import Language, Seconds
from engine.outbound.campaign import (
    Calendar,
    Campaign,
    Caps,
    Field,
    FieldKind,
    HoldBack,
    Hours,
    Limit,
    Machine,
    Missed,
    Pacing,
    Purpose,
    Retries,
)
from engine.outbound.contacts import CampaignId, Contact, ContactId, PersonKey

MONDAY_NOON = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""In Moscow."""

FILE = """
campaign: overdue
purpose: notice
flow: overdue.yaml
languages: [ru, en]
country: RU
zone: Europe/Moscow
windows: {mon-fri: 9:00-20:00}
holidays: {RU: [2026-11-04, 2026-12-31, 2027-01-01]}
caps: {calls: {day: 2}}
consent: [contract]
do_not_call: [national]
retries: {attempts: 3, within: 10d, no_answer: [1h, 24h]}
fields: {name: text, amount: amount}
"""


def a_campaign(**changes: object) -> Campaign:
    found: dict[str, object] = {
        "name": "overdue",
        "title": "",
        "revision": "0",
        "purpose": Purpose.NOTICE,
        "flow": "overdue.yaml",
        "languages": [Language("ru"), Language("en")],
        "caller_id": None,
        "country": "RU",
        "zone": "Europe/Moscow",
        "calendar": Calendar(
            [Hours(frozenset(range(5)), time(9), time(20))], {"RU": frozenset({date(2026, 11, 4), date(2027, 1, 1)})}
        ),
        "caps": Caps([Limit(2, timedelta(days=1))]),
        "retries": Retries(3, {Missed.NO_ANSWER: [timedelta(hours=1), timedelta(days=1)]}, timedelta(days=10)),
        "consent": frozenset({"contract"}),
        "lists": ["national"],
        "hold_back": HoldBack(complaints=True, bad_calls=timedelta(days=30)),
        "machine": Machine.HANG_UP,
        "message": {},
        "pacing": Pacing(2, 1.0, Seconds(30.0), 0.03, Seconds(2.0)),
        "priority": 50,
        "follow_up": {},
        "fields": {"name": Field(FieldKind.TEXT), "amount": Field(FieldKind.AMOUNT)},
        "columns": {},
    }
    return Campaign(**(found | changes))  # type: ignore[arg-type]


def a_contact(**changes: object) -> Contact:
    found: dict[str, object] = {
        "id": ContactId("c1"),
        "campaign": CampaignId("k1"),
        "person": PersonKey("p1"),
        "number": "+79161234567",
        "language": Language("ru"),
        "zone": "Europe/Moscow",
        "fields": {"name": "Анна", "amount": "1234.50"},
        "consent": "contract",
        "consent_at": datetime(2025, 1, 1, tzinfo=UTC),
        "country": "RU",
    }
    return Contact(**(found | changes))  # type: ignore[arg-type]
