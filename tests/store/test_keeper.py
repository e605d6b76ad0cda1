from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, SQLAlchemyError

from engine.store import keeper as keeping
from engine.store.aside import Aside
from engine.store.entries import Entry, Kind
from engine.store.keeper import JournalBroken, Keeper, Standing


def failure(code: int, kind: type[Exception] = sqlite3.OperationalError) -> SQLAlchemyError:
    origin = kind("told")
    origin.sqlite_errorcode = code  # type: ignore[attr-defined]
    return (OperationalError if kind is sqlite3.OperationalError else DatabaseError)("INSERT", {}, origin)


BUSY = failure(sqlite3.SQLITE_BUSY)
FULL = failure(sqlite3.SQLITE_FULL)
FSYNC = failure(4 << 8 | sqlite3.SQLITE_IOERR)
CORRUPT = failure(sqlite3.SQLITE_CORRUPT, sqlite3.DatabaseError)


@dataclass
class Database:
    """Fails as told, before a commit or just after it; keeps each number once where it is told that it may be there already."""

    script: list[SQLAlchemyError | str | None] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def write(self, entries: Sequence[Entry], *, again: bool) -> None:
        told = self.script.pop(0) if self.script else None
        if isinstance(told, SQLAlchemyError):
            raise told
        numbers = [entry.row["number"] for entry in entries]
        if -1 in numbers or (not again and set(numbers) & set(self.rows)):
            raise IntegrityError("INSERT", {}, sqlite3.IntegrityError("told"))
        self.rows += [number for number in numbers if number not in self.rows]
        if told == "unheard":
            raise BUSY

    def drop(self) -> None:
        pass


@dataclass
class Stand:
    database: Database
    keeper: Keeper
    now: list[float]

    def keep(self, *numbers: int) -> list[Future[None]]:
        waiting: list[Future[None]] = [Future() for _ in numbers]
        self.keeper.keep(zip(map(step, numbers), waiting, strict=True))
        return waiting

    def later(self) -> None:
        self.now[0] += 10.0
        self.keeper.keep(())


def step(number: int) -> Entry:
    return Entry(Kind.STEP, {"call_id": "c", "number": number, "at": 0.5, "event": "я", "actions": "[]"})


@pytest.fixture
def stand(tmp_path: Path) -> Callable[..., Stand]:
    def made(*script: SQLAlchemyError | str | None) -> Stand:
        now, database = [0.0], Database(list(script))
        return Stand(database, Keeper(database, Aside(tmp_path, "me"), lambda: now[0]), now)

    return made


def test_what_is_put_aside_is_acknowledged_and_goes_first_when_the_database_is_back(stand: Callable[..., Stand]) -> None:
    at = stand(BUSY)
    waiting = at.keep(1, 2) + at.keep(3)

    assert all(one.done() for one in waiting)
    assert at.keeper.standing is Standing.ASIDE
    at.later()
    at.keep(4)
    assert at.database.rows == [1, 2, 3, 4]
    assert at.keeper.standing is Standing.WELL


def test_a_commit_whose_acknowledgement_was_lost_is_not_doubled(stand: Callable[..., Stand]) -> None:
    at = stand("unheard", "unheard")
    at.keep(1, 2)
    at.later()
    at.later()

    assert at.database.rows == [1, 2]
    assert at.keeper.standing is Standing.WELL


@pytest.mark.parametrize("error", [FSYNC, CORRUPT])
def test_after_a_failed_fsync_or_on_a_corrupt_file_nothing_more_is_written(
    stand: Callable[..., Stand], error: SQLAlchemyError
) -> None:
    at = stand(error)
    for waiting in at.keep(1) + at.keep(2):
        with pytest.raises(JournalBroken):
            waiting.result(0)
    at.later()

    assert at.database.rows == []
    assert at.keeper.standing is Standing.BROKEN


def test_where_there_is_no_room_anywhere_the_oldest_wait_and_the_newest_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_HELD", 2)
    monkeypatch.setattr(Aside, "_append", lambda *_: _no_room())
    now, database = [0.0], Database([FULL, FULL])
    at = Stand(database, Keeper(database, Aside(tmp_path, "me"), lambda: now[0]), now)
    first, second, third = at.keep(1, 2, 3)

    assert at.keeper.standing is Standing.FULL
    assert not first.done()
    assert not second.done()
    with pytest.raises(JournalBroken, match="found 2 entries waiting"):
        third.result(0)
    at.later()
    at.later()
    assert database.rows == [1, 2]
    assert at.keeper.standing is Standing.WELL


def _no_room() -> None:
    raise OSError(28, "No space left on device")


def test_a_line_that_a_crash_cut_off_is_left_out_and_the_rest_taken_over(tmp_path: Path) -> None:
    dead = Aside(tmp_path, "dead")
    dead.append([step(1), step(2)])
    dead.close()
    left = next(tmp_path.iterdir())
    left.write_bytes(left.read_bytes() + b'["step", {"call')
    database = Database()
    Keeper(database, Aside(tmp_path, "me")).keep(())

    assert database.rows == [1, 2]
    assert list(tmp_path.iterdir()) == []


def test_what_a_living_engine_has_put_aside_is_left_alone(tmp_path: Path) -> None:
    living = Aside(tmp_path, "other")
    living.append([step(1)])
    mine = Aside(tmp_path, "me")
    mine.adopt()

    assert mine.empty
    assert living.first(9) == [step(1)]


def test_an_entry_reads_as_it_was_written() -> None:
    ended = Entry(Kind.ENDED, {"id": "c", "engine": None, "ended_at": datetime(2026, 11, 22, tzinfo=UTC), "outcome": "ok"})

    assert [Entry.read(one.line()) for one in (ended, step(7))] == [ended, step(7)]


@settings(max_examples=60, deadline=None)
@given(
    script=st.lists(st.sampled_from([BUSY, FULL, "unheard", None]), max_size=12),
    batches=st.lists(st.integers(0, 4), min_size=1, max_size=12),
)
def test_whatever_fails_each_is_written_once_and_in_order(
    script: list[SQLAlchemyError | str | None], batches: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    now, database = [0.0], Database(script)
    at = Stand(database, Keeper(database, Aside(tmp_path_factory.mktemp("aside"), "me"), lambda: now[0]), now)
    number, waiting = 0, []
    for size in batches:
        waiting += at.keep(*range(number, number + size))
        number += size
        now[0] += 0.2
    for _ in range(len(script) + 2):
        at.later()

    assert database.rows == list(range(number))
    assert [one.result(0) for one in waiting] == [None] * number
