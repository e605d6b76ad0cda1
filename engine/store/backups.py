"""Copies of an SQLite database: made while it is written to, checked, and put back.

Rules:

* a copy is one moment of the database: all of each transaction or nothing (SQLite's backup, in one step; writers go on);
* beside it lies ``<name>.json``: when it was made, the copy's SHA-256, and of each table its rows and a SHA-256 over them;
* a copy has its name only once it is whole, was checked, and is on the disk. Nothing is ever written over.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path

from engine.core.errors import ConfigError, MediaError
from engine.store.keys import sync_folder


@dataclass(frozen=True, slots=True)
class Sum:
    """What is in a table."""

    rows: int
    sha256: str


def back_up(source: Path, to: Path, now: datetime) -> Mapping[str, Sum]:
    """Copy a database; gives the sums of the copy.

    Raises:
        ConfigError: there is no database, or the copy is there already.
        MediaError: what was copied is damaged.
        sqlite3.Error, OSError: it can't be read or written.
    """
    if not source.is_file():
        raise ConfigError(f"expected a database at {source}, found none")
    found = _copied(source, to)
    told = {"made": now.isoformat(), "sha256": _digest(to), "tables": {name: asdict(it) for name, it in found.items()}}
    _write(_beside(to), (json.dumps(told, indent=2) + "\n").encode())
    return found


def restore(copy: Path, to: Path) -> Mapping[str, Sum]:
    """Put a copy where no database is; gives the sums of what is there then.

    Raises:
        ConfigError: there is a database, or what is left of one.
        MediaError: the copy is damaged, or not as it was made.
        sqlite3.Error, OSError: it can't be read or written.
    """
    for left in (to, *(to.with_name(to.name + it) for it in ("-wal", "-shm", "-journal"))):
        if left.exists():
            raise ConfigError(f"expected no database at {left}, found one: stop the engine, and move it away first")
    check(copy)
    return _copied(copy, to)


def check(database: Path) -> None:
    """Have a database checked by SQLite; a copy with sums beside it by those too.

    Raises:
        MediaError: it is damaged, or not as it was made.
    """
    if not database.is_file():
        raise MediaError(f"{database}: expected a database, found none")
    beside = _beside(database)
    if beside.exists():
        try:
            wanted = json.loads(beside.read_bytes())["sha256"]
        except (ValueError, KeyError, TypeError) as error:
            raise MediaError(f"{beside}: expected the sums of a copy, found something else") from error
        if _digest(database) != wanted:
            raise MediaError(f"{database}: expected the copy that was made (SHA-256 {wanted}), found another")
    try:
        with closing(_reading(database)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        raise MediaError(f"{database}: expected a whole database, found: {error}") from error
    if found != ["ok"]:
        raise MediaError(f"{database}: expected a whole database, found: {'; '.join(found[:3])}")


def sums(database: Path) -> Mapping[str, Sum]:
    """What is in each table now."""
    with closing(_reading(database)) as connection:
        connection.execute("BEGIN")  # one moment of all tables
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: _sum(connection, name) for name in names}


def _copied(source: Path, to: Path) -> Mapping[str, Sum]:
    part = to.with_name(to.name + ".part")
    if to.exists():
        raise ConfigError(f"{to}: expected no such file yet, found one")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        with closing(_reading(source)) as reading, closing(sqlite3.connect(part)) as writing:
            reading.backup(writing)
            writing.execute("PRAGMA journal_mode=DELETE")  # one file; who opens it next sets it as it should be
        check(part)
        found = sums(part)
        _wait_for_the_disk(part)
        part.rename(to)
        sync_folder(to.parent)
    finally:
        part.unlink(missing_ok=True)
    return found


def _sum(connection: sqlite3.Connection, table: str) -> Sum:
    """Over all columns of all rows, in any order they lie in: the sum of their hashes, modulo 2**256."""
    rows, total = 0, 0
    for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 -- the schema's own name
        rows += 1
        total += int.from_bytes(sha256(repr(row).encode("utf-8", "surrogatepass")).digest(), "big")
    return Sum(rows, f"{total % (1 << 256):064x}")


def _reading(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)


def _beside(copy: Path) -> Path:
    return copy.with_name(copy.name + ".json")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _write(path: Path, octets: bytes) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(descriptor)


def _wait_for_the_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
