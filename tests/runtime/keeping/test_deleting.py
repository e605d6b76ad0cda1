"""What belongs to a call goes together, step by step, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.core.errors import ConfigError
from engine.privacy.person import Person
from engine.privacy.retention import Step
from engine.qa.ledger import State
from engine.runtime.keeping.deleting import Keeping
from engine.store.account import account
from engine.store.accounts import Actor
from engine.store.holds import HeldBy
from engine.store.models import CallRow
from engine.store.outbound_models import AttemptRow, ContactRow
from engine.store.quality_models import RecordingRow, ScoreRow
from tests.databases import KINDS, store_in
from tests.runtime.keeping.made import NOW, Bank, a_bank, a_call, a_call_of_people, a_contact

BY = Actor("officer")


@pytest.fixture(params=KINDS)
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bank]:
    made = a_bank(tmp_path, store_in(tmp_path, request.param))
    yield made
    made.database.dispose()


@pytest.fixture
def keeping(bank: Bank) -> Keeping:
    return Keeping.of(bank.config, bank.database)


def agrees(bank: Bank) -> bool:
    return not account(bank.database, (), bank.config.qa.folder, NOW).disagreements


def test_a_call_loses_its_sound_then_its_words_then_its_scores(bank: Bank, keeping: Keeping) -> None:
    content = a_call(bank, "old", days=31)
    a_call(bank, "new", days=29)
    new = {it for it in bank.files() if "old" not in it and content not in it}

    assert keeping.run(NOW).gone == {("default", Step.SOUND): 1}
    assert bank.files() == new | {f"qa/transcripts/{content[:2]}/{content}.0123.json"}
    assert bank.states() == ["scored", "scored"]
    assert agrees(bank)

    assert keeping.run(NOW + timedelta(days=30)).gone == {("default", Step.WORDS): 1, ("default", Step.SOUND): 1}
    with Session(bank.database) as session:
        call, score = session.get_one(CallRow, "old"), session.scalars(select(ScoreRow).where(ScoreRow.content == content)).one()
    assert (call.caller_number, call.outcome) == (None, "served")
    assert [it["text"] for it in json.loads(score.result)["questions"][0]["evidence"]] == [""]
    assert bank.states() == ["erased", "scored"]
    assert bank.rows()["steps"] == 2
    assert agrees(bank)

    keeping.run(NOW + timedelta(days=60))
    rows = bank.rows()
    assert (rows["calls"], rows["scores"], rows["reviews"], rows["appeals"], rows["found_calls"]) == (1, 1, 1, 1, 1)
    assert agrees(bank)

    keeping.run(NOW + timedelta(days=62))
    assert bank.files() == set()
    assert set(bank.rows().values()) == {0}
    assert bank.states() == ["erased", "erased"]
    assert agrees(bank)


def test_what_is_due_twice_goes_once_and_a_dry_run_deletes_nothing(bank: Bank, keeping: Keeping) -> None:
    a_call(bank, "old", days=100)
    before = bank.files(), bank.rows()

    dry = keeping.run(NOW, dry=True)

    assert (bank.files(), bank.rows()) == before
    done = keeping.run(NOW)
    assert (done.gone, done.files) == (dry.gone, dry.files)
    assert keeping.run(NOW).gone == {}
    assert [it.subject for it, _ in keeping.trail.rows()] == ["old", "retention", "retention"]


def test_a_class_keeps_its_calls_as_long_as_it_says(bank: Bank, keeping: Keeping) -> None:
    a_call(bank, "debt", days=1000)
    a_contact(bank, "K-1", "+77010000001", call="debt", days=1000)
    a_call(bank, "other", days=1000)

    keeping.run(NOW)

    assert [it.name for it in keeping._calls.calls()] == ["debt"]
    assert keeping.run(NOW + timedelta(days=200)).contacts == 1
    assert list(keeping._calls.calls()) == []


def test_calls_between_people_and_recordings_of_the_banks_go_too(bank: Bank, keeping: Keeping) -> None:
    a_call_of_people(bank, "people", 100, "+77010000002")
    content = a_call(bank, "foreign", days=100)
    with Session(bank.database) as session, session.begin():
        session.execute(update(RecordingRow).where(RecordingRow.content == content).values(source="folder", call=None))

    done = keeping.run(NOW)

    assert done.gone == {("default", Step.SCORES): 3}
    assert bank.rows()["human_calls"] == bank.rows()["scores"] == bank.rows()["calls"] == 0
    assert bank.states() == ["erased"]


def test_what_goes_on_or_is_being_heard_waits(bank: Bank, keeping: Keeping) -> None:
    a_call(bank, "on", days=100)
    content = a_call(bank, "heard", days=100)
    with Session(bank.database) as session, session.begin():
        session.execute(update(CallRow).where(CallRow.id == "on").values(ended_at=None))
        session.execute(update(RecordingRow).where(RecordingRow.content == content).values(state=State.RUNNING, owner="r"))
    before = bank.files()

    done = keeping.run(NOW)

    assert (done.in_hand, done.gone.total()) == (2, 0)
    assert bank.files() == before


@pytest.mark.parametrize(
    ("kind", "subject"),
    [(HeldBy.CALL, "held"), (HeldBy.PERSON, "+77010000007"), (HeldBy.PERSON, "K-7"), (HeldBy.CAMPAIGN, "overdue")],
)
def test_what_is_held_is_deleted_by_nothing_until_it_is_released(
    bank: Bank, keeping: Keeping, kind: HeldBy, subject: str
) -> None:
    a_call(bank, "held", days=2000, number="8 701 000-00-07")
    a_contact(bank, "K-7", "+77010000007", call="held", days=2000)
    before = bank.files()
    hold = keeping.holds.hold(BY, kind, subject, "court case 12")

    assert keeping.run(NOW).held[hold.id] > 0
    erased = keeping.erase([Person.of("+77010000007"), Person.of("K-7")], "officer", "asked", NOW)

    assert erased.done.held[hold.id] > 0
    assert bank.files() == before
    assert len(keeping.of_person([Person.of("K-7")])[1]) == 1
    assert "hold" in next(iter(keeping.trail.rows()))[0].subject
    keeping.holds.release(BY, hold.id, "over")
    assert keeping.run(NOW).gone.total() == 1
    assert bank.files() == set()


def test_a_person_is_not_told_in_the_audit_chain(bank: Bank, keeping: Keeping) -> None:
    keeping.holds.hold(BY, HeldBy.PERSON, "+77010000007", "court case 12")
    keeping.erase([Person.of("+77010000008")], "officer", "asked", NOW)

    assert all("7701" not in f"{it.subject}{it.details}" for it, _ in keeping.trail.rows())
    assert not list(keeping.trail.breaks())
    with pytest.raises(ConfigError, match="not held"):
        keeping.holds.hold(BY, HeldBy.PERSON, "+77010000007", "again")


def test_campaigns_sums_agree_after_contacts_went(bank: Bank, keeping: Keeping) -> None:
    a_contact(bank, "K-1", "+77010000001", days=1200)
    a_contact(bank, "K-2", "+77010000002", days=10)

    keeping.run(NOW)

    with Session(bank.database) as session:
        assert list(session.scalars(select(ContactRow.person))) == list(session.scalars(select(AttemptRow.person))) == ["K-2"]
