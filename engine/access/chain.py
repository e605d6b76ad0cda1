"""The audit chain: every row carries a hash of itself and of the row before. Pure.

Rules. A row's hash is SHA-256, or HMAC-SHA-256 where there is a key, over the hash before it (64 hex digits; zeros before the
first), a line feed, and the row's canonical form: the fields in their order as one JSON array, ASCII, without spaces. Rows are
numbered from 1 without a gap. Nothing is ever taken out but from the beginning, when its time is over: the number and hash of
the last row taken out then stand at the beginning in its place, and a row of the chain itself says so.

What it proves. Without a key, whoever can write the database can write a whole new chain: only heads that were exported before
show it. With the key kept elsewhere, nobody else can. A chain that was cut short at its end is found by exported heads alone.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from hashlib import sha256
from typing import Final

from engine.access.deeds import Deed

_NOTHING: Final = bytes(32).hex()


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody did something."""

    number: int

    at: str
    """UTC, ISO 8601 with microseconds."""

    who: str
    """A person's name, ``machine:...`` or ``shell:...``; empty where nobody known."""

    what: str
    """A :class:`engine.access.deeds.Deed`."""

    subject: str
    """What it was done to: a call, a person, a route."""

    address: str
    """Where they sat."""

    details: str
    """A JSON object."""


@dataclass(frozen=True, slots=True)
class Head:
    """A row, by its hash: what is exported."""

    number: int

    hash: str
    """64 hex digits."""


START: Final = Head(0, _NOTHING)
"""Before the first row."""


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the chain does not hold."""

    number: int

    found: str


def canonical(entry: Entry) -> bytes:
    """What is hashed."""
    return json.dumps(astuple(entry), ensure_ascii=True, separators=(",", ":")).encode("ascii")


def linked(before: str, entry: Entry, key: bytes | None = None) -> str:
    """The hash of a row that follows the one with the hash ``before``."""
    told = before.encode() + b"\n" + canonical(entry)
    return sha256(told).hexdigest() if key is None else hmac.digest(key, told, "sha256").hex()


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database says, beside the rows."""

    start: Head
    """The last row that was taken out."""

    head: Head
    """The last row."""


def breaks(
    rows: Iterable[tuple[Entry, str]], kept: Kept, exported: Collection[Head] = (), key: bytes | None = None
) -> Iterator[Break]:
    """Every place where the chain does not hold; ``rows`` by their number, with their hashes."""
    heads: dict[int, set[str]] = {}
    for head in exported:
        heads.setdefault(head.number, set()).add(head.hash)
    last, pruned = kept.start, kept.start == START
    for entry, hash_ in rows:
        yield from _row(last, entry, hash_, key)
        if heads.pop(entry.number, {hash_}) != {hash_}:
            yield Break(entry.number, "is another one than the head that was exported")
        pruned = pruned or _says_pruned(entry, kept.start)
        last = Head(entry.number, hash_)
    if not pruned:
        yield Break(kept.start.number, "rows up to here are gone, and no row says that they were taken out")
    if last != kept.head:
        yield Break(kept.head.number, f"expected as the last row, found row {last.number} or another hash")
    for number in sorted(number for number in heads if number > last.number):
        yield Break(number, "was exported as head, and is gone")
    if kept.start.hash not in heads.get(kept.start.number, {kept.start.hash}):
        yield Break(kept.start.number, "is another one than the head that was exported")


def _row(last: Head, entry: Entry, hash_: str, key: bytes | None) -> Iterator[Break]:
    if entry.number != last.number + 1:
        yield Break(entry.number, f"expected row {last.number + 1}, found row {entry.number}: rows are gone or were added")
    if linked(last.hash, entry, key) != hash_:
        yield Break(entry.number, "the row, or the one before, is not as it was written")


def _says_pruned(entry: Entry, start: Head) -> bool:
    if entry.what != Deed.AUDIT_PRUNED:
        return False
    try:
        details = json.loads(entry.details)
    except ValueError:  # somebody has been at it; its hash tells
        return False
    return isinstance(details, Mapping) and (details.get("through"), details.get("hash")) == (start.number, start.hash)
