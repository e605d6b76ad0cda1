"""A copy that is made under load is one moment of the database, and what is put back is what was copied."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.core.errors import ConfigError, MediaError
from engine.store.backups import back_up, check, restore, sums
from engine.store.database import connect, upgrade

NOW = datetime(2030, 3, 4, tzinfo=UTC)

# each transaction moves something from one table into the other, and adds a row to both
WRITER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
database.execute("PRAGMA journal_mode=WAL")
at = 0
while True:
    at += 1
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO here VALUES (?, ?, ?)", (at, at % 97, "x" * 500))
    database.execute("INSERT INTO there VALUES (?, ?, ?)", (at, -(at % 97), "y" * 500))
    database.execute("COMMIT")
    if at % 20 == 0:
        print(at, flush=True)
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "calls.db"
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE here (at INTEGER, amount INTEGER, words TEXT)")
        connection.execute("CREATE TABLE there (at INTEGER, amount INTEGER, words TEXT)")
    return path


def test_copies_that_are_made_while_another_process_writes_are_whole_moments_and_put_back_as_they_were(
    database: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", WRITER, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        acknowledged, held = [], []
        for number in range(5):
            acknowledged.append(int(writer.stdout.readline()))
            held.append(back_up(database, tmp_path / f"{number}.db", NOW))
        writer.kill()
    (tmp_path / "elsewhere").mkdir()
    restored = [restore(tmp_path / f"{number}.db", tmp_path / "elsewhere" / f"{number}.db") for number in range(5)]
    balances = [_balance(tmp_path / "elsewhere" / f"{number}.db") for number in range(5)]

    assert restored == held
    assert [sums(tmp_path / "elsewhere" / f"{number}.db") for number in range(5)] == held
    assert balances == [0] * 5
    assert all(it["here"].rows == it["there"].rows >= at for it, at in zip(held, acknowledged, strict=True))
    assert held[4]["here"].rows > held[0]["here"].rows


def _balance(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        here, there = (connection.execute(f"SELECT SUM(amount) FROM {it}").fetchone()[0] for it in ("here", "there"))
    return int(here + there)


def test_a_copy_that_was_put_back_is_a_database_of_ours(database: Path, tmp_path: Path) -> None:
    back_up(database, tmp_path / "copy.db", NOW)
    restore(tmp_path / "copy.db", tmp_path / "back.db")
    engine = connect(f"sqlite:///{tmp_path}/back.db")
    upgrade(engine)
    engine.dispose()

    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "copy.db.json").stat().st_mode & 0o777 == 0o600
    assert sums(tmp_path / "back.db") == sums(database)


@pytest.mark.parametrize("place", [0.0, 0.3, 0.99])
def test_a_copy_in_which_one_byte_was_changed_is_not_put_back(database: Path, tmp_path: Path, place: float) -> None:
    copy = tmp_path / "copy.db"
    back_up(database, copy, NOW)
    octets = bytearray(copy.read_bytes())
    octets[int(place * len(octets))] ^= 1
    copy.write_bytes(octets)

    with pytest.raises(MediaError, match=r"copy\.db: expected the copy that was made"):
        restore(copy, tmp_path / "back.db")
    assert not (tmp_path / "back.db").exists()


def test_a_damaged_database_is_told_without_sums_too(database: Path) -> None:
    octets = bytearray(database.read_bytes())
    octets[4096:12_000] = bytes(7_904)
    database.write_bytes(octets)

    with pytest.raises(MediaError, match="expected a whole database"):
        check(database)


def test_nothing_is_written_over(database: Path, tmp_path: Path) -> None:
    back_up(database, tmp_path / "copy.db", NOW)
    (tmp_path / "left.db-wal").touch()

    with pytest.raises(ConfigError, match="no such file yet"):
        back_up(database, tmp_path / "copy.db", NOW)
    with pytest.raises(ConfigError, match="move it away first"):
        restore(tmp_path / "copy.db", database)
    with pytest.raises(ConfigError, match=r"left\.db-wal, found one"):
        restore(tmp_path / "copy.db", tmp_path / "left.db")
    with pytest.raises(ConfigError, match="found none"):
        back_up(tmp_path / "gone.db", tmp_path / "other.db", NOW)
