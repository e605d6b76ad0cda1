"""What the bank's systems are told of calls and of what they came to: once, signed, whoever was killed in between."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine.config.outbound import OutcomesSection
from engine.outbound.attempt import AttemptState
from engine.outbound.carrier import Ended
from engine.outbound.contacts import AttemptId, Outcome, Reached
from engine.runtime.outbound.webhooks import outcome_receivers, outcomes_told
from engine.runtime.quality.webhooks import Sender
from engine.store.attempts import Attempts, Talked
from engine.store.database import connect
from engine.store.outbound_models import AttemptRow
from engine.store.outbox import Outbox, receives, subscribe
from engine.store.outcome_messages import OutcomeMessages, Told
from engine.store.rulebook import CampaignRules
from engine.testing.campaigns import made_up
from tests.databases import store_in
from tests.runtime.quality.receiver import Receiver as Server
from tests.runtime.quality.receiver import listening

NAME = "outbound:crm"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(store_in(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture
def server() -> Iterator[Server]:
    with listening(Server()) as server:
        yield server


@pytest.fixture
def section(server: Server, tmp_path: Path) -> OutcomesSection:
    secret = tmp_path / "secret"
    secret.write_text(f"whsec_{b64encode(bytes(32)).decode()}\n", "ascii")
    return OutcomesSection(url=server.url, secret_file=secret)


def call(database: Engine, *ends: tuple[Reached, Talked | None]) -> datetime:
    """Call a made-up person each, with this end; when that was."""
    campaign, now = made_up(database, len(ends)), datetime.now(UTC)
    dialler = Attempts(database, CampaignRules(), owner="d", carrier="fake")
    for place, (contact, (reached, talked)) in enumerate(zip(dialler.due(campaign, now, 9), ends, strict=True)):
        attempt = AttemptId(f"a{place}")
        assert dialler.commit(contact, attempt, now) is not None
        assert dialler.mark(attempt, now)
        dialler.ended(attempt, Ended(reached), now, talked)
    return now


PROMISED = (Reached.ANSWERED, Talked(Outcome.PROMISED, 31.0, "person", details={"date": "2026-11-27"}))
BUSY = (Reached.BUSY, None)


def told(server: Server) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in server.got]


def test_a_call_and_its_outcome_are_told_once_and_signed(database: Engine, server: Server, section: OutcomesSection) -> None:
    now = call(database, PROMISED, BUSY)
    (receiver,) = outcome_receivers({"crm": section})
    for _ in range(3):  # each time another process, or the same after a crash
        OutcomeMessages(database, receiver.name, list(Told)).plan(now)
        Sender(Outbox(database), receiver).send_due()

    calls = {it["data"]["attempt"]: it["data"] for it in told(server) if it["type"] == "outbound.call.ended"}
    (done,) = [it["data"] for it in told(server) if it["type"] == "outbound.contact.done"]
    assert len(server.got) == 3
    assert {name: it["reached"] for name, it in calls.items()} == {"a0": "answered", "a1": "busy"}
    assert calls["a0"] | {"outcome": "promised", "details": {"date": "2026-11-27"}, "talked": 31.0} == calls["a0"]
    assert (done["outcome"], done["person"], done["campaign"], done["attempts"]) == ("promised", "person-0", "proof", 1)
    assert server.got[0][0]["webhook-signature"].startswith("v1,")


@pytest.mark.parametrize("wants", Told)
def test_who_wants_less_is_told_less(database: Engine, wants: Told) -> None:
    now = call(database, PROMISED, BUSY)

    assert OutcomeMessages(database, NAME, [wants]).plan(now) == (2 if wants is Told.CALL else 1)


def test_what_was_written_late_is_told_all_the_same(database: Engine) -> None:
    now = call(database, PROMISED)
    messages = OutcomeMessages(database, NAME, [Told.CALL])
    messages.plan(now)
    with Session(database) as session, session.begin():
        first = session.get_one(AttemptRow, "a0")
        late = {"id": "late", "state": AttemptState.ENDED, "ended_at": now - timedelta(hours=5), "reached": Reached.BUSY}
        kept = {it: getattr(first, it) for it in ("contact", "campaign", "person", "number", "carrier", "owner", "committed_at")}
        session.add(AttemptRow(**kept, **late, details="{}", talked=0.0))

    assert messages.plan(now + timedelta(minutes=1)) == 0
    assert messages.plan(now + timedelta(minutes=11)) == 1


def test_who_is_gone_is_told_nothing_until_somebody_resumes_it(
    database: Engine, server: Server, section: OutcomesSection
) -> None:
    server.statuses = [410, 204]
    (receiver,) = outcome_receivers({"crm": section})
    now = call(database, PROMISED)
    receives(database, receiver.name)
    messages, sender = OutcomeMessages(database, receiver.name, [Told.CALL]), Sender(Outbox(database), receiver)
    messages.plan(now)
    sender.send_due()
    subscribe(database, {})  # quality control begins, which has receivers of its own
    assert messages.plan(now) == 0

    Outbox(database).resume(receiver.name, now)
    sender.send_due()
    assert len(server.got) == 2


async def test_a_running_engine_tells_and_leaves_nothing_lying(
    database: Engine, server: Server, section: OutcomesSection
) -> None:
    async with outcomes_told(database, {"crm": section}):
        call(database, PROMISED)

    assert sorted(it["type"] for it in told(server)) == ["outbound.call.ended", "outbound.contact.done"]
