"""A person who is erased is found before, and nowhere afterwards; and the search finds what is left, wherever that is."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engine.core.call import CallFacts, new_call_id
from engine.core.units import Seconds
from engine.outbound.campaign import OPT_OUTS
from engine.privacy.person import Person
from engine.runtime.keeping.deleting import Keeping
from engine.runtime.keeping.seeking import Sought, seek
from engine.store.journal import Journal, Standing, Step
from engine.store.keys import KeyFile
from engine.store.lists import Entry, Lists
from engine.store.models import CallRow, StepRow
from engine.store.outbound_models import ContactRow
from engine.store.sealed_files import write_sealed
from tests.databases import KINDS, store_in
from tests.runtime.keeping.made import NOW, Bank, a_bank, a_call, a_call_of_people, a_contact

CANARY = "+77017654321"
KEY = "K-CANARY-17"
NAME = "Әлия Канарейкина"
PEOPLE = (Person.of(CANARY), Person.of(KEY))
SOUGHT = Sought(PEOPLE, (NAME, f"Name of {KEY}"))
OTHER = "+77019999999"
_STEPS = 50


@pytest.fixture(params=KINDS)
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bank]:
    """The canary has a call with the engine, one with an agent, a contact, and does not want to be called. So has another."""
    made = a_bank(tmp_path, store_in(tmp_path, request.param))
    a_call(made, "theirs", 5, "8 (701) 765-43-21", f"my name is {NAME}, call 8 701 765 43 21", customer=KEY)
    a_call_of_people(made, "people", 4, CANARY)
    a_contact(made, KEY, CANARY, call="theirs")
    a_call(made, "others", 5, OTHER, "good morning, my card is lost")
    a_contact(made, "K-2", OTHER, call="others")
    entries = [Entry(OPT_OUTS, it, "call:theirs", f"{CANARY} said so") for it in (CANARY, KEY)]
    Lists(made.database).block(entries, NOW)
    yield made
    made.database.dispose()


@pytest.fixture
def keeping(bank: Bank) -> Keeping:
    return Keeping.of(bank.config, bank.database)


def places(bank: Bank, sought: Sought = SOUGHT) -> list[str]:
    return [it.where for it in seek(bank.config, bank.database, sought).left]


def data_of(bank: Bank) -> Iterator[Path]:
    """The files of PostgreSQL's server, but for its write-ahead log, what it tells, and the databases of other tests."""
    with bank.database.connect() as connection:
        root = Path(connection.scalar(text("SELECT current_setting('data_directory')")) or "")
        own = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
    return (it for it in (root / "base" / str(own)).rglob("*") if it.is_file())


def test_the_canary_is_found_before_and_nowhere_after(bank: Bank, keeping: Keeping) -> None:
    before = places(bank)

    for table in ("calls", "steps", "human_calls", "recordings", "scores", "appeals", "assist_labels", "contacts", "attempts"):
        assert any(it.startswith(f"table {table},") for it in before), table
    assert any("transcripts" in it for it in before)
    (bank.root / "phrases" / "theirs-2.wav").write_text("a crash kept no row of it", encoding="utf-8")
    erased = keeping.erase(PEOPLE, "officer", "request 114", NOW)
    assert (erased.done.gone.total(), erased.done.contacts, erased.besides.listed) == (2, 1, 2)
    assert places(bank, Sought(PEOPLE, SOUGHT.texts, erased.names)) == []
    assert {it for it in bank.files() if "theirs" in it or "people" in it} == set()
    if bank.database.dialect.name == "postgresql":
        assert not any(pattern.search(it.read_bytes()) for it in data_of(bank) for pattern in SOUGHT.patterns())


def test_others_keep_what_is_theirs(bank: Bank, keeping: Keeping) -> None:
    before = {it for it in bank.files() if "others" in it}

    keeping.erase(PEOPLE, "officer", "request 114", NOW)

    assert before <= bank.files()
    assert (bank.rows()["calls"], bank.rows()["scores"], bank.rows()["found_words"]) == (1, 1, 1)
    assert places(bank, Sought((Person.of(OTHER),)))
    assert not list(keeping.trail.breaks())


def test_who_was_erased_is_still_not_called(bank: Bank, keeping: Keeping) -> None:
    keeping.erase(PEOPLE, "officer", "request 114", NOW)
    lists = Lists(bank.database)

    assert {(who, it.list) for who, it in lists.of([CANARY, KEY, OTHER])} == {(CANARY, OPT_OUTS), (KEY, OPT_OUTS)}
    assert lists.unblock(OPT_OUTS, CANARY) == 1
    assert [who for who, _ in lists.of([CANARY])] == []


def test_a_contact_that_is_being_dialled_waits_and_is_told(bank: Bank, keeping: Keeping) -> None:
    with Session(bank.database) as session, session.begin():
        session.execute(text("UPDATE attempts SET state = 'dialled' WHERE person = :it"), {"it": KEY})
        session.execute(text("UPDATE contacts SET state = 'dialling', outcome = NULL WHERE person = :it"), {"it": KEY})

    erased = keeping.erase(PEOPLE, "officer", "request 114", NOW)

    assert (erased.done.in_hand, erased.done.contacts, erased.besides.listed) == (1, 0, 0)
    with Session(bank.database) as session:
        assert session.scalar(select(func.count()).where(ContactRow.person == KEY)) == 1


def _in_a_row(bank: Bank) -> None:
    with Session(bank.database) as session, session.begin():
        session.add(StepRow(call_id="others", number=9, at=0.0, event=json.dumps({"heard": NAME}), actions="[]"))


def _in_a_file(bank: Bank) -> None:
    (bank.root / "aside").mkdir()
    (bank.root / "aside" / "journal-x.jsonl").write_text("701 765 43 21", encoding="utf-8")


def _in_a_name(bank: Bank) -> None:
    (bank.root / "recordings" / "87017654321.wav").write_text("sound", encoding="utf-8")


def _in_an_encrypted_file(bank: Bank) -> None:
    keys = KeyFile(bank.root / "keys")
    keys.make(NOW)
    descriptor = os.open(bank.root / "recordings" / "x.json", os.O_CREAT | os.O_RDWR)
    write_sealed(descriptor, CANARY.encode(), keys)
    os.close(descriptor)


def _in_the_sound_of_an_erased_call(bank: Bank) -> None:
    (bank.root / "recordings" / "theirs.wav").write_text("sound", encoding="utf-8")


@pytest.mark.parametrize("bank", ["sqlite"], indirect=True)
@pytest.mark.parametrize("leave", [_in_a_row, _in_a_file, _in_a_name, _in_an_encrypted_file, _in_the_sound_of_an_erased_call])
def test_the_search_finds_what_is_left(bank: Bank, keeping: Keeping, leave: Callable[[Bank], None]) -> None:
    erased = keeping.erase(PEOPLE, "officer", "request 114", NOW)
    leave(bank)

    left = places(_with_keys(bank), Sought(PEOPLE, SOUGHT.texts, erased.names))
    assert left
    assert not any("7654321" in it.replace("87017654321.wav", "") for it in left)


@pytest.mark.parametrize("bank", ["sqlite"], indirect=True)
def test_the_bytes_of_rows_that_were_deleted_carelessly_are_found(bank: Bank, keeping: Keeping) -> None:
    """As by a tool that does not overwrite what it deletes: the rows are gone, the file still has them, and to erase mends it."""
    with bank.database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in (
            "PRAGMA secure_delete=OFF",
            "DELETE FROM steps WHERE call_id = 'theirs'",
            "PRAGMA wal_checkpoint(TRUNCATE)",
        ):
            connection.execute(text(statement))
        connection.execute(text("PRAGMA secure_delete=ON"))
    name = Sought(texts=(NAME,))

    assert any("table steps" in it for it in places(bank, name)) is False
    assert any(it.endswith("calls.db") for it in places(bank, name))
    keeping.erase(PEOPLE, "officer", "request 114", NOW)
    assert places(bank, name) == []


def _with_keys(bank: Bank) -> Bank:
    file = bank.root / "keys"
    if not file.exists():
        return bank
    store = bank.config.store.model_copy(update={"key_file": file})
    return Bank(bank.config.model_copy(update={"store": store}), bank.database)


def test_a_killed_erasure_is_finished_by_whatever_runs_next(
    bank: Bank, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> Sequence[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.runtime.keeping.deleting.destroy", dies)
    with pytest.raises(KeyboardInterrupt):
        keeping.erase(PEOPLE, "officer", "request 114", NOW)
    monkeypatch.undo()

    assert keeping.run(NOW + timedelta(seconds=1)).finished == 1
    erased = keeping.erase(PEOPLE, "officer", "request 114", NOW)
    assert places(bank, Sought(PEOPLE, SOUGHT.texts, erased.names)) == []


def test_calls_go_on_meanwhile_and_lose_nothing(bank: Bank, keeping: Keeping) -> None:
    journal = Journal(bank.database, "engine", bank.root / "aside")
    facts = CallFacts(new_call_id(), "sip")
    row = {"id": facts.id, "engine": "engine", "door": "sip", "direction": "inbound", "flow": "bank", "flow_revision": "1"}
    with Session(bank.database) as session, session.begin():
        session.add(CallRow(**row, agents=False, started_at=NOW))
    written = threading.Event()

    def goes_on() -> None:
        number = 0
        while not written.is_set() or number < _STEPS:
            journal.append(facts.id, Step(number, Seconds(number), None, "[]")).result(60)
            number += 1
        steps.append(number)

    steps: list[int] = []
    call = threading.Thread(target=goes_on)
    call.start()
    erased = keeping.erase(PEOPLE, "officer", "request 114", NOW)
    written.set()
    call.join()
    deadline = time.monotonic() + 30.0
    while journal.standing is Standing.ASIDE and time.monotonic() < deadline:  # a slow machine: they lie beside for a moment
        time.sleep(0.05)
    kept = journal.steps(facts.id)
    journal.close()

    assert len(kept) == steps[0]
    assert erased.done.left == ()
    assert places(bank, Sought(PEOPLE, SOUGHT.texts, erased.names)) == []
