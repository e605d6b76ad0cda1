"""Whoever had a bad call is listed, and stays listed until a person takes them off."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine.outbound.campaign import BAD_CALLS
from engine.store.bad_calls import note_bad_calls
from engine.store.lists import Entry, Lists
from engine.store.models import CallRow
from engine.store.quality_models import RecordingRow, ScoreRow
from tests.outbound.made import MONDAY_NOON

YESTERDAY = MONDAY_NOON - timedelta(days=1)


def a_score(database: Engine, facts: dict[str, str], content: str = "a", *, fatal: bool = True, at: datetime = YESTERDAY) -> None:
    recording = RecordingRow(
        content=content,
        state="scored",
        attempts=0,
        size=1,
        source="call",
        facts=json.dumps(facts),
        seen_at=MONDAY_NOON,
        changed_at=MONDAY_NOON,
    )
    recording.started_at = at
    score = ScoreRow(
        content=content, model="m", card="c", revision="r", points=0.0, fatal=fatal, result="{}", scored_at=MONDAY_NOON
    )
    with Session(database) as session, session.begin():
        session.add(recording)
        session.flush()
        session.add(score)


def a_call(database: Engine) -> None:
    call = CallRow(
        id="call-1", door="sip", direction="inbound", caller_number="+79161234567", flow="f", flow_revision="r", agents=False
    )
    call.started_at = YESTERDAY
    with Session(database) as session, session.begin():
        session.add(call)


@pytest.mark.parametrize(
    ("facts", "who"),
    [({"call_id": "call-1"}, "+79161234567"), ({"number": "+7 916 123-45-67"}, "+79161234567"), ({"customer": "C1"}, "C1")],
)
def test_whoever_had_a_fatal_fault_in_their_call_is_listed_since_that_call(
    database: Engine, facts: dict[str, str], who: str
) -> None:
    a_call(database)
    a_score(database, facts)

    assert note_bad_calls(database, MONDAY_NOON) == 1
    assert note_bad_calls(database, MONDAY_NOON) == 0
    ((_, listed),) = Lists(database).of([who])
    assert (listed.list, listed.since) == (BAD_CALLS, YESTERDAY)


def test_who_was_taken_off_is_not_put_there_again_for_the_same_call(database: Engine) -> None:
    a_score(database, {"customer": "C1"})
    note_bad_calls(database, MONDAY_NOON)
    Lists(database).unblock(BAD_CALLS, "C1")

    assert note_bad_calls(database, MONDAY_NOON) == 0
    a_score(database, {"customer": "C1"}, "b")
    assert note_bad_calls(database, MONDAY_NOON) == 1


def test_a_call_without_a_fatal_fault_lists_nobody_nor_does_one_of_which_nobody_knows_whose_it_is(database: Engine) -> None:
    a_score(database, {"customer": "C1"}, fatal=False)
    a_score(database, {"agent": "a.lee"}, "b")

    assert note_bad_calls(database, MONDAY_NOON) == 0


def test_the_last_bad_call_counts_in_whatever_order_they_are_judged(database: Engine) -> None:
    earlier, latest = YESTERDAY - timedelta(days=40), MONDAY_NOON
    for content, at in {"a": YESTERDAY, "b": earlier, "c": latest}.items():
        a_score(database, {"customer": "C1"}, content, at=at)
        note_bad_calls(database, MONDAY_NOON)

    assert note_bad_calls(database, MONDAY_NOON) == 0
    ((_, listed),) = Lists(database).of(["C1"])
    assert listed.since == latest


def test_who_was_taken_off_stays_off_for_earlier_calls_too(database: Engine) -> None:
    for content, at in {"a": YESTERDAY - timedelta(days=3), "b": YESTERDAY}.items():
        a_score(database, {"customer": "C1"}, content, at=at)
    note_bad_calls(database, MONDAY_NOON)
    Lists(database).unblock(BAD_CALLS, "C1")

    assert note_bad_calls(database, MONDAY_NOON) == 0
    assert Lists(database).of(["C1"]) == []
    a_score(database, {"customer": "C1"}, "c", at=MONDAY_NOON)
    assert note_bad_calls(database, MONDAY_NOON) == 1


def test_who_was_put_on_it_by_hand_can_be_taken_off_any_number_of_times(database: Engine) -> None:
    lists = Lists(database)
    for _ in range(3):
        lists.block([Entry(BAD_CALLS, "C1", "by root")], MONDAY_NOON)
        assert lists.unblock(BAD_CALLS, "C1") == 1

    assert lists.of(["C1"]) == []
