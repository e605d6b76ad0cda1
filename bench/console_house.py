"""What a house has beside its calls after a year, for ``bench.console``: people, machines, audit, holds, appeals, campaigns.

All of it is made up. The audit chain holds; numbers are of a range that is nobody's.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, update

from engine.access.chain import Entry, linked
from engine.access.deeds import Deed
from engine.access.permissions import PEOPLES_ROLES
from engine.outbound.campaign import CampaignState
from engine.outbound.contacts import Outcome, Reached
from engine.store.access_models import AuditHeadRow, AuditRow, PersonRow, TokenRow
from engine.store.audit import Trail
from engine.store.keeping_models import HoldRow
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow
from engine.store.quality_models import AppealRow
from engine.testing.campaigns import made_up, number_of

NOW = datetime.now(UTC)
PEOPLE, TOKENS, ROWS, HOLDS, APPEALS = 200, 40, 100_000, 40, 1_000
CAMPAIGNS, CONTACTS, ATTEMPTS = 30, 100_000, 200_000
BIG = "campaign-0"
_ONCE = 5_000
_DEEDS = (Deed.HEARD, Deed.HEARD, Deed.HEARD, Deed.SIGNED_IN, Deed.CHANGED, Deed.EXPORTED, Deed.UNMASKED_ASKED)


def furnish(database: Engine) -> None:
    """Write it; the calls are there already."""
    draw = random.Random(4)
    campaigns = [made_up(database, 3, name=f"campaign-{number}") for number in range(CAMPAIGNS)]
    with database.begin() as connection:
        connection.execute(insert(PersonRow), [_person(number) for number in range(PEOPLE)])
        connection.execute(insert(TokenRow), [_token(number) for number in range(TOKENS)])
        connection.execute(insert(HoldRow), [_hold(number) for number in range(HOLDS)])
        connection.execute(insert(AppealRow), [_appeal(number) for number in range(APPEALS)])
        connection.execute(update(CampaignRow).values(state=CampaignState.FINISHED))
        connection.execute(update(CampaignRow).where(CampaignRow.name == BIG).values(state=CampaignState.RUNNING))
        _chain(connection, Trail(database).head().number, Trail(database).head().hash, draw)
        _written(connection, ContactRow, (_contact(campaigns[0], number, draw) for number in range(CONTACTS)))
        _written(connection, AttemptRow, (_attempt(campaigns[0], number, draw) for number in range(ATTEMPTS)))


def _written(connection: Connection, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append(row)
        if len(some) == _ONCE:
            connection.execute(insert(table), some)
            some = []


def _chain(connection: Connection, number: int, last: str, draw: random.Random) -> None:
    rows: list[dict[str, Any]] = []
    for place in range(ROWS):
        number += 1
        at = (NOW - timedelta(days=365) * (1 - place / ROWS)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        what = draw.choice(_DEEDS) if place % 300 else Deed.KEEPING_RAN
        told = {"calls": 9, "contacts": 0, "held": 2, "in_hand": 1} if what is Deed.KEEPING_RAN else {}
        who, subject = f"person-{draw.randrange(PEOPLE)}", f"call {draw.randrange(5_000):032x}"
        entry = Entry(number, at, who, what, subject, "10.1.2.3", json.dumps(told))
        last = linked(last, entry)
        rows.append({**{name: getattr(entry, name) for name in Entry.__dataclass_fields__}, "hash": last})
        if len(rows) == _ONCE:
            connection.execute(insert(AuditRow), rows)
            rows = []
    connection.execute(update(AuditHeadRow).values(number=number, hash=last))


def _person(number: int) -> dict[str, Any]:
    roles = json.dumps([sorted(PEOPLES_ROLES)[number % len(PEOPLES_ROLES)]])
    shared = {"disabled": not number % 9, "added_at": NOW, "password_at": NOW, "signed_in_at": NOW}
    return {"id": f"person-{number}", "password": "-", "roles": roles, "teams": json.dumps([f"team {number % 12}"]), **shared}


def _token(number: int) -> dict[str, Any]:
    until = {"made_at": NOW, "expires_at": NOW + timedelta(days=90), "revoked": False}
    return {"id": f"machine:{number}", "hash": f"{number:064x}", "roles": '["machine"]', **until}


def _hold(number: int) -> dict[str, Any]:
    return {"kind": "call", "subject": f"{number:032x}", "why": "a court order", "who": "shell:root", "at": NOW}


def _appeal(number: int) -> dict[str, Any]:
    """About the first scores, of whose numbers every other five hundred are there (:mod:`bench.console_calls`)."""
    answered = number % 10 > 0
    answer = {"answer": "no", "answered_by": "lead", "answered_at": NOW} if answered else {}
    nothing = dict.fromkeys(("answer", "answered_by", "answered_at"))
    state = "rejected" if answered else "open"
    about = {
        "score": 1_000 * (number // 500) + number % 500 + 1,
        "question": "question_0",
        "by": "agent 1",
        "text": "it was said before",
    }
    return {**about, "at": NOW - timedelta(hours=number), "state": state, **nothing, **answer}


def _contact(campaign: str, number: int, draw: random.Random) -> dict[str, Any]:
    done = number < CONTACTS * 0.8
    return {
        "id": f"contact-{number}", "campaign": campaign, "row": number + 9, "person": f"somebody-{number}", "language": "en",
        "number": number_of(1_000_000 + number), "zone": "Europe/Berlin", "country": "DE", "fields": "{}", "consent": None,
        "consent_at": None, "state": "done" if done else "waiting", "reason": None, "attempts": 2 if done else 0,
        "outcome": draw.choice(list(Outcome)) if done else None, "next_at": None if done else NOW,
        "done_at": NOW if done else None,
    }  # fmt: skip


def _attempt(campaign: str, number: int, draw: random.Random) -> dict[str, Any]:
    contact, reached = number % int(CONTACTS * 0.8), draw.choice(list(Reached))
    talked = reached is Reached.ANSWERED
    at = NOW - timedelta(days=2) * (1 - number / ATTEMPTS)
    unsure = not number % 4_000
    return {
        "id": f"attempt-{number}", "contact": f"contact-{contact}", "campaign": campaign, "person": f"somebody-{contact}",
        "number": number_of(1_000_000 + contact), "state": "uncertain" if unsure else "ended", "carrier": "sip", "owner": "bench",
        "committed_at": at, "dialled_at": at, "reached": None if unsure else reached, "answerer": None, "details": "{}",
        "call": f"{number:032x}" if talked else None, "outcome": draw.choice(list(Outcome)) if talked else None,
        "reason": None, "ended_at": None if unsure else at, "talked": 30.0 if talked else 0.0,
    }  # fmt: skip
