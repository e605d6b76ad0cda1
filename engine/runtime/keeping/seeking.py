"""The proof that nothing is left of somebody who was erased: their bytes are sought wherever an engine keeps anything.

A number is sought in all its spellings, a key and a name as they are; in the rows of all tables, in the words of the search, in
the files of SQLite (its write-ahead log too) byte for byte, and in every file of the engine's folders, decrypted where it is
encrypted. Sound can't be sought for words: of erased calls it is looked whether a file still bears their name.

What is found is told by its place, never as it stands there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Engine, inspect, text

from engine.config import Config
from engine.core.errors import MediaError
from engine.privacy.person import Person
from engine.store.keys import KeyFile, keys_of
from engine.store.sealed_files import opened

_PIECE: Final = 1 << 22  # bytes at a time
_OVERLAP: Final = 256
_WORDS: Final = "found_words"
_SQLITE: Final = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Sought:
    """Whom, and by what."""

    people: Sequence[Person] = ()
    texts: Sequence[str] = ()
    """Names, or words."""

    calls: Collection[str] = ()
    """Ids and contents of calls that were erased: no file bears them, and no row but of the audit chain and of the ledger."""

    def patterns(self) -> Iterator[re.Pattern[bytes]]:
        """What is sought in bytes."""
        yield from (it.octets for it in self.people)
        yield from (re.compile(b"|".join(map(re.escape, _written(it)))) for it in self.texts)


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that is left."""

    where: str
    """A table with its column, or a file."""

    times: int


@dataclass(frozen=True, slots=True)
class Search:
    """What was looked at, and what is left."""

    looked_at: tuple[str, ...]
    left: tuple[Trace, ...]


def seek(config: Config, database: Engine, sought: Sought) -> Search:
    """Look everywhere.

    Raises:
        SQLAlchemyError, ConfigError: something can't be read.
    """
    patterns = list(sought.patterns())
    files = [*_database_files(database), *_files(config)]
    keys = keys_of(config.store.key_file)
    tables = _tables(database)
    left = [
        *_in_rows(database, tables, patterns),
        *_in_words(database, sought),
        *(it for path in files for it in _in_file(path, patterns, keys)),
        *(Trace(f"{path}: it bears the name of an erased call", 1) for path in files if _bears(path, sought.calls)),
    ]
    folders = [str(it) for it in _folders(config)]
    where = (f"{len(tables)} tables", "the search's words", f"{len(files)} files", *folders)
    return Search(where, tuple(left))


def _tables(database: Engine) -> list[str]:
    """All there are, whatever our models know; in SQLite also those that the index of words is made of."""
    return [it for it in inspect(database).get_table_names() if not it.startswith("sqlite_")]


def _in_rows(database: Engine, tables: Iterable[str], patterns: Sequence[re.Pattern[bytes]]) -> Iterator[Trace]:
    with database.connect() as connection:
        for table in tables:
            everything = text(f'SELECT * FROM "{table}"').execution_options(yield_per=1000)  # noqa: S608 -- the schema's own name
            rows = connection.execute(everything)
            counted = dict.fromkeys(rows.keys(), 0)
            for row in rows:
                for name, value in zip(counted, row, strict=True):
                    counted[name] += any(it.search(_octets(value)) for it in patterns)
            yield from (Trace(f"table {table}, {name}", number) for name, number in counted.items() if number)


def _octets(value: object) -> bytes:
    match value:
        case None:
            return b""
        case bytes() | memoryview():
            return bytes(value)
        case _:
            return str(value).encode("utf-8", "surrogatepass")


def _in_words(database: Engine, sought: Sought) -> Iterator[Trace]:
    """Words of calls that are no calls any more."""
    key = "rowid" if database.dialect.name == "sqlite" else "id"
    orphans = text(f"SELECT count(*) FROM {_WORDS} WHERE {key} NOT IN (SELECT id FROM found_calls)")  # noqa: S608 -- one of two
    named = text("SELECT count(*) FROM found_calls WHERE name = :name OR content = :name OR call = :name")
    with database.connect() as connection:
        if number := connection.scalar(orphans):
            yield Trace("the search's words, of no call that there is", int(number))
        number = sum(int(connection.scalar(named, {"name": it}) or 0) for it in sought.calls)
        if number:
            yield Trace("the search, an erased call", number)


def _in_file(path: Path, patterns: Sequence[re.Pattern[bytes]], keys: KeyFile | None) -> Iterator[Trace]:
    number = sum(bool(it.search(str(path.name).encode("utf-8", "surrogateescape"))) for it in patterns)
    try:
        with opened(path, keys) as file:
            before = b""
            while piece := file.read(_PIECE):
                number += sum(1 for it in patterns if it.search(before + piece))
                before = piece[-_OVERLAP:]
    except FileNotFoundError:  # gone this moment
        return
    except (OSError, MediaError) as error:
        yield Trace(f"{path}: expected a file that can be searched, found: {error}", 1)
        return
    if number:
        yield Trace(str(path), number)


def _bears(path: Path, calls: Collection[str]) -> bool:
    return path.name.partition(".")[0] in calls or any(path.name.startswith(f"{it}-") for it in calls)


def _database_files(database: Engine) -> list[Path]:
    name = database.url.database
    if database.dialect.name != "sqlite" or not name:
        return []
    return [it for end in _SQLITE if (it := Path(name + end)).is_file()]


def _files(config: Config) -> list[Path]:
    return sorted({path for folder in _folders(config) for path in folder.rglob("*") if path.is_file()})


def _folders(config: Config) -> list[Path]:
    phrases = config.assist.phrases if config.assist else None
    wanted = (config.store.recordings, config.qa.folder, phrases, config.store.aside, config.tts.cache)
    return [it for it in dict.fromkeys(wanted) if it is not None and it.is_dir()]


def _written(sought: str) -> Iterator[bytes]:
    """As it is, in small and capital letters, as JSON escapes it, and in an address."""
    for form in dict.fromkeys((sought, sought.casefold(), sought.lower(), sought.upper(), sought.title())):
        yield form.encode()
        yield json.dumps(form)[1:-1].encode()
        yield quote(form).encode()
