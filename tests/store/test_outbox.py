"""The outbox, on both kinds of databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from engine.core.units import Language, Seconds
from engine.qa.announcements import Occasion
from engine.qa.ledger import AT_SOURCE, MOST_ATTEMPTS
from engine.store.ledger import Claimed, Hearing, Ledger
from engine.store.outbox import LEASE, Message, MessageState, Outbox, subscribe
from engine.store.quality_models import OutboxRow, RecordingRow
from engine.store.sightings import Sighting, Sightings

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
HEARING = Hearing("model-1", Language("en"), Seconds(12.5), "transcripts/aa/a.json", "sound/aa/a.wav")
ALL = (Occasion.SCORED, Occasion.FATAL, Occasion.FAILED)


def result(card: str = "inbound", *, fatal: bool = False) -> dict[str, Any]:
    question = {"id": "greets", "verdict": "pass", "confidence": 0.9, "evidence": [], "searched": []}
    return {"path": "a", "scorecard": card, "revision": "r1", "score": 100.0, "fatal": fatal, "questions": [question]}


def rows(database: Engine) -> list[OutboxRow]:
    with Session(database, expire_on_commit=False) as session:
        return list(session.scalars(select(OutboxRow).order_by(OutboxRow.receiver, OutboxRow.type)))


def told(database: Engine) -> list[tuple[str, str]]:
    return [(it.receiver, it.type) for it in rows(database)]


def claimed(database: Engine, name: str = "a") -> Claimed:
    Sightings(database).see([Sighting(f"/in/{name}.wav", name * 64, 100, 5.0, "folder", {"agent": "lee"})], NOW)
    found = Ledger(database).claim("run", NOW)
    assert found is not None
    return found


def take(outbox: Outbox, receiver: str = "crm", now: datetime = NOW) -> Message:
    found = outbox.claim(receiver, now)
    assert found is not None
    return found


@pytest.fixture
def outbox(database: Engine) -> Outbox:
    """With one message for ``crm``."""
    subscribe(database, {"crm": ALL})
    Ledger(database).scored(claimed(database), [result()], NOW, HEARING)
    return Outbox(database)


def test_each_receiver_is_told_what_it_wants(database: Engine) -> None:
    subscribe(database, {"all": ALL, "alarm": (Occasion.FATAL,), "it": (Occasion.FAILED,)})
    Ledger(database).scored(claimed(database), [result(fatal=True), result("sales")], NOW, HEARING)

    fatal = [("alarm", "qa.call.fatal"), ("all", "qa.call.fatal")]
    assert sorted(told(database)) == sorted([*fatal, ("all", "qa.call.scored"), ("all", "qa.call.scored")])
    assert {json.loads(it.body)["data"]["call"]["agent"] for it in rows(database)} == {"lee"}


def test_what_is_scored_twice_alike_is_told_once(database: Engine, outbox: Outbox) -> None:
    ledger = Ledger(database)
    ledger.outdate(["a" * 64], NOW)
    again = ledger.claim("run", NOW)
    assert again is not None
    ledger.scored(again, [result(), result("sales")], NOW)

    assert told(database) == [("crm", "qa.call.scored")] * 2


def test_what_could_not_be_written_is_not_told(database: Engine) -> None:
    subscribe(database, {"crm": ALL})
    mine = claimed(database)
    Ledger(database).release("run", NOW)  # somebody else may have it now

    assert Ledger(database).scored(mine, [result()], NOW, HEARING) is None
    assert told(database) == []


def test_a_recording_that_can_not_be_heard_is_told(database: Engine) -> None:
    subscribe(database, {"crm": ALL})
    Ledger(database).refused(claimed(database), "expected a sound file, found plain text", NOW)

    assert told(database) == [("crm", "qa.call.failed")]
    assert json.loads(rows(database)[0].body)["data"]["reason"] == "expected a sound file, found plain text"


def test_one_that_killed_every_run_is_told_when_it_is_given_up(database: Engine) -> None:
    subscribe(database, {"crm": ALL})
    claimed(database)
    for attempt in range(MOST_ATTEMPTS):
        before = told(database)
        Ledger(database).expire(NOW + timedelta(days=1 + attempt), ["run"])
        Ledger(database).claim("run", NOW + timedelta(days=1 + attempt), suspect=True)

        assert before == []

    assert told(database) == [("crm", "qa.call.failed")]


def test_one_whose_description_is_broken_is_told_at_the_first_look_only(database: Engine) -> None:
    subscribe(database, {"crm": ALL})
    broken = Sighting("/in/a.wav", "a" * 64, 100, 5.0, "folder", problem="a.json: expected an object")
    for later in range(3):
        Sightings(database).see([broken], NOW + timedelta(minutes=later))

    assert told(database) == [("crm", "qa.call.failed")]
    assert json.loads(rows(database)[0].body)["data"]["reason"].startswith(AT_SOURCE)


def test_nobody_who_listens_nothing_is_kept(database: Engine) -> None:
    Ledger(database).scored(claimed(database), [result()], NOW, HEARING)

    assert told(database) == []


def test_a_claimed_message_is_nobody_elses_until_its_lease_is_over(outbox: Outbox) -> None:
    first = take(outbox)

    assert outbox.claim("crm", NOW + LEASE / 2) is None
    assert outbox.claim("crm", NOW + LEASE) == first


def test_what_was_sent_is_not_sent_again(outbox: Outbox) -> None:
    outbox.sent(take(outbox))

    assert outbox.claim("crm", NOW + timedelta(days=30)) is None


def test_what_failed_is_due_when_it_was_said_and_counts_its_attempts(outbox: Outbox) -> None:
    outbox.postponed(take(outbox), "expected an answer, found: ConnectError", NOW + timedelta(minutes=5))

    assert outbox.claim("crm", NOW + timedelta(minutes=4)) is None
    assert take(outbox, now=NOW + timedelta(minutes=5)).attempts == 1
    assert outbox.standing()[0].last == "expected an answer, found: ConnectError"


def test_a_receiver_that_is_gone_is_told_nothing_until_it_is_resumed(database: Engine, outbox: Outbox) -> None:
    take(outbox)
    outbox.stop("crm", "expected a status of 200 to 299, found 410")
    Ledger(database).scored(claimed(database, "b"), [result()], NOW, HEARING)

    assert outbox.claim("crm", NOW + timedelta(days=1)) is None
    assert [it.state for it in rows(database)] == [MessageState.STOPPED]
    assert outbox.standing()[0].stopped

    assert outbox.resume("crm", NOW) == 1
    assert take(outbox).attempts == 0


def test_a_receiver_that_is_not_configured_any_more_loses_nothing_and_gets_nothing_new(database: Engine, outbox: Outbox) -> None:
    subscribe(database, {"other": ALL})
    Ledger(database).scored(claimed(database, "b"), [result()], NOW, HEARING)

    assert told(database) == [("crm", "qa.call.scored"), ("other", "qa.call.scored")]


def test_old_messages_that_were_sent_are_forgotten_and_no_others(database: Engine, outbox: Outbox) -> None:
    Ledger(database).scored(claimed(database, "b"), [result()], NOW, HEARING)
    outbox.sent(take(outbox))
    outbox.forget(NOW + timedelta(seconds=1))

    assert [it.state for it in rows(database)] == [MessageState.WAITING]


def test_facts_that_changed_in_this_very_transaction_are_told_as_they_are_now(database: Engine) -> None:
    subscribe(database, {"crm": ALL})
    mine = claimed(database)
    with database.begin() as connection:
        connection.execute(update(RecordingRow).values(facts='{"agent": "kim"}'))
    Ledger(database).scored(mine, [result()], NOW, HEARING)

    told_call = json.loads(rows(database)[0].body)["data"]["call"]
    assert told_call == {
        "call_id": None, "agent": "kim", "team": None, "queue": None, "direction": None, "campaign": None,
        "began": None, "seconds": 12.5, "language": "en", "source": "folder",
    }  # fmt: skip
