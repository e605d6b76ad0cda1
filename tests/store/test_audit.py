"""The audit chain: nothing in it is changed unseen, whoever writes at the same time."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import Session

from engine.access.chain import Entry, Head, linked
from engine.access.deeds import Deed
from engine.store.access_models import AuditHeadRow, AuditRow
from engine.store.audit import Asked, Told, Trail, harmless
from engine.store.database import connect

KEY = b"a key that is kept elsewhere, 32+"
ROWS = 24
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
_FIELDS = ("at", "who", "what", "subject", "address", "details", "hash")


def filled(database: Engine, key: bytes | None = None) -> Trail:
    trail = Trail(database, key)
    with Session(database) as session, session.begin():
        for number in range(ROWS):
            told = Told(f"person{number % 5}", Deed.HEARD, f"call {number}", "10.0.0.1", {"at": number / 2})
            trail.append(session, told, NOW + timedelta(seconds=number))
    return trail


def rows_of(database: Engine) -> list[dict[str, Any]]:
    with database.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(select(AuditRow).order_by(AuditRow.number))]


def put(database: Engine, rows: Sequence[dict[str, Any]], head: Head) -> None:
    """What somebody does who can write the database."""
    with database.begin() as connection:
        connection.execute(delete(AuditRow))
        if rows:
            connection.execute(insert(AuditRow), list(rows))
        connection.execute(update(AuditHeadRow).values(number=head.number, hash=head.hash))


def rechained(rows: Sequence[dict[str, Any]], key: bytes | None = None) -> list[dict[str, Any]]:
    """Numbered and hashed anew."""
    hash_, made = "0" * 64, []
    for number, row in enumerate(rows, 1):
        entry = Entry(number, *(row[name] for name in _FIELDS[:-1]))
        hash_ = linked(hash_, entry, key)
        made.append({**row, "number": number, "hash": hash_})
    return made


def _edited(rows: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    row, field = chance.choice(rows), chance.choice(_FIELDS)
    row[field] = chance.choice([row[field] + "x", row[field][:-1] or "x", "", row[field].upper() + " "])
    return rows


def _deleted(rows: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    del rows[chance.randrange(len(rows) - 1)]
    return rows


def _swapped(rows: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    one, other = chance.sample(range(len(rows)), 2)
    rows[one]["number"], rows[other]["number"] = rows[other]["number"], rows[one]["number"]
    return rows


def _cut_short(rows: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    return rows[: chance.randrange(len(rows))]


def _begun_later(rows: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    return rows[chance.randrange(1, len(rows)) :]


def _added(rows: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    place = chance.randrange(len(rows))
    forged = {**rows[place], "who": "somebody else"}
    return [*rows[:place], forged, *({**row, "number": row["number"] + 1} for row in rows[place:])]


def _written_anew(rows: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """By somebody who knows how it is done: an edit, a deletion or a swap, and every hash after it right again."""
    tampering: Callable[..., list[dict[str, Any]]] = chance.choice([_edited, _deleted, _cut_short, _begun_later])
    return rechained(sorted(tampering(rows, chance), key=lambda row: row["number"]))


TAMPERINGS = (_edited, _deleted, _swapped, _cut_short, _begun_later, _added, _written_anew)


def head_of(rows: Sequence[dict[str, Any]]) -> Head:
    return Head(rows[-1]["number"], rows[-1]["hash"]) if rows else Head(0, "0" * 64)


def test_of_a_hundred_random_tamperings_a_hundred_are_found(database: Engine) -> None:
    trail = filled(database)
    whole, exported, chance = rows_of(database), [trail.head()], random.Random(2026)
    assert list(trail.breaks(exported)) == []
    unseen = []
    for number in range(100):
        tampering = TAMPERINGS[number % len(TAMPERINGS)]
        made = tampering([dict(row) for row in whole], chance)
        put(database, made, head_of(sorted(made, key=lambda row: row["number"])))  # the head is set right, too
        changed = sorted(made, key=lambda row: row["number"]) != whole
        if not changed or not list(trail.breaks(exported)):
            unseen.append((number, tampering.__name__, changed))

    assert unseen == []
    put(database, whole, exported[0])
    assert list(trail.breaks(exported)) == []


def test_without_an_exported_head_whoever_writes_everything_anew_is_not_found_unless_there_is_a_key(database: Engine) -> None:
    plain = filled(database)
    forged = rechained([{**row, "who": "nobody"} for row in rows_of(database)])
    put(database, forged, head_of(forged))

    assert list(plain.breaks()) == []
    assert list(Trail(database, KEY).breaks())


def test_a_chain_with_a_key_holds_under_this_key_alone(database: Engine) -> None:
    filled(database, KEY)

    assert list(Trail(database, KEY).breaks()) == []
    assert list(Trail(database).breaks())
    assert list(Trail(database, b"another key").breaks())


def test_every_break_says_where(database: Engine) -> None:
    trail = filled(database)
    with database.begin() as connection:
        connection.execute(update(AuditRow).where(AuditRow.number == 7).values(who="mallory"))
        connection.execute(delete(AuditRow).where(AuditRow.number == 20))

    assert [one.number for one in trail.breaks()] == [7, 21, 21]


def test_who_appends_at_the_same_time_gets_an_order(database: Engine) -> None:
    """Each writer has connections of its own, as another process would."""

    def write(number: int) -> None:
        own = connect(database.url.render_as_string(hide_password=False))
        for one in range(12):
            Trail(own).keep(Told(f"writer{number}", Deed.CHANGED, str(one)))
        own.dispose()

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    trail = Trail(database)
    mine = [entry.subject for entry, _ in trail.rows() if entry.who == "writer2"]

    assert list(trail.breaks()) == []
    assert trail.head().number == 48
    assert mine == [str(one) for one in range(12)]


def test_a_row_is_kept_with_what_it_tells_of_or_not_at_all(database: Engine) -> None:
    trail = filled(database)
    with Session(database) as session:
        trail.append(session, Told("anna", Deed.CHANGED))
        session.rollback()
    trail.keep(Told("boris", Deed.CHANGED))

    assert [entry.who for entry, _ in trail.rows(most=1)] == ["boris"]
    assert trail.head().number == ROWS + 1
    assert list(trail.breaks()) == []


def test_what_is_too_old_is_taken_out_and_the_chain_says_so_and_holds(database: Engine) -> None:
    trail = filled(database)
    before = trail.head()
    gone = trail.prune(NOW + timedelta(seconds=10), "machine:engine")
    again = trail.prune(NOW + timedelta(seconds=10), "machine:engine")

    assert (gone, again) == (10, 0)
    assert list(trail.breaks([before])) == []
    (last, _) = next(iter(trail.rows(most=1)))
    assert (last.what, last.subject) == (Deed.AUDIT_PRUNED, "")
    assert trail.prune(NOW + timedelta(days=9999), "machine:engine") == ROWS - 10 + 1
    assert list(trail.breaks()) == []


def test_rows_that_were_taken_out_by_hand_are_missed(database: Engine) -> None:
    trail = filled(database)
    rows = rows_of(database)
    with database.begin() as connection:
        connection.execute(delete(AuditRow).where(AuditRow.number <= 5))
        connection.execute(update(AuditHeadRow).values(start_number=5, start_hash=rows[4]["hash"]))

    assert [one.found for one in trail.breaks()] == ["rows up to here are gone, and no row says that they were taken out"]


def test_a_database_without_the_row_of_ends_is_no_chain(database: Engine) -> None:
    trail = filled(database)
    with database.begin() as connection:
        connection.execute(delete(AuditHeadRow))

    assert [one.number for one in trail.breaks()] == [0]


@given(st.text(max_size=600))
def test_nothing_that_is_kept_can_write_a_line_of_its_own_or_turn_the_writing_round(text: str) -> None:
    kept = harmless(text, 200)

    assert len(kept) <= 200
    assert kept.encode("utf-8").decode() == kept
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e\u200f]", kept)
    assert "\n" not in kept


def test_hostile_text_is_kept_as_it_was_and_harms_nothing(database: Engine) -> None:
    trail, hostile = Trail(database), "x\n2026-11-22 root signed_in\r\x1b[2J\x00'; DROP TABLE audit; -- \u202e\ud800"
    trail.keep(Told(hostile, Deed.CHANGED, hostile, hostile, {hostile: hostile, "list": [hostile]}))
    (entry, _) = next(trail.rows())

    assert "\\u000a2026-11-22 root" in entry.who
    assert entry.subject.startswith("x\\u000a")
    assert not re.search(r"[\x00-\x1f\u202e]", entry.details)
    assert list(trail.breaks()) == []


def test_rows_are_found_by_who_what_whom_and_when(database: Engine) -> None:
    trail = filled(database)

    assert {entry.who for entry, _ in trail.rows(Asked(who="person3"))} == {"person3"}
    assert [entry.number for entry, _ in trail.rows(Asked(subject="call 4"))] == [5]
    assert [entry.number for entry, _ in trail.rows(Asked(since=NOW + timedelta(seconds=22)))] == [23, 24]
    assert [entry.number for entry, _ in trail.rows(Asked(before=4), most=2)] == [3, 2]
    assert list(trail.rows(Asked(what=Deed.EXPORTED))) == []
