"""A bank's list as it comes: rows of texts from CSV or a workbook, within limits. What the texts mean is judged elsewhere.

A row's number is its place in the list, as spreadsheets count; the head is 1. Nothing is calculated: a cell of a workbook that
holds a formula is :data:`FORMULA`, whatever value was kept with it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.outbound.campaign import ListRefused
from engine.outbound.list_text import text_of

MOST_BYTES: Final = 64 << 20
MOST_ROWS: Final = 250_000
MOST_COLUMNS: Final = 200
FORMULA: Final = "=…"
"""What stands for a formula of a workbook."""

_DELIMITERS: Final = ";,\t|"
_ZIP: Final = b"PK\x03\x04"
_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Row:
    """One row below the head."""

    number: int

    cells: Sequence[str]


def read_list(content: bytes, name: str, encoding: str | None = None) -> tuple[Sequence[str], Iterator[Row]]:
    """A list's head, and its rows; empty rows are left out.

    Raises:
        ListRefused: it is no list, too large, or its letters can't be told. Iterating may raise it as well.
    """
    if len(content) > MOST_BYTES:
        raise ListRefused(f"{name}: expected at most {MOST_BYTES >> 20} MiB, found {len(content) >> 20}")
    if content.startswith(_OLD_WORKBOOK):
        raise ListRefused(f"{name}: expected CSV or .xlsx, found a workbook of the old kind (.xls): save it as .xlsx")
    rows = _workbook(content, name) if content.startswith(_ZIP) else _csv(text_of(content, name, encoding), name)
    numbered = _filled(rows, name)
    head = next(numbered, None)
    if head is None:
        raise ListRefused(f"{name}: expected a head with the columns' names, found an empty file")
    return [it.strip() for it in head.cells], numbered


def _filled(rows: Iterator[Sequence[str]], name: str) -> Iterator[Row]:
    for number, cells in enumerate(rows, 1):
        if number > MOST_ROWS + 1:
            raise ListRefused(f"{name}: expected at most {MOST_ROWS} rows, found more: import it in parts")
        if len(cells) > MOST_COLUMNS:
            raise ListRefused(f"{name}: row {number}: expected at most {MOST_COLUMNS} columns, found {len(cells)}")
        if any(it and not it.isspace() for it in cells):
            yield Row(number, cells)


def _csv(text: str, name: str) -> Iterator[Sequence[str]]:
    """RFC 4180, with the delimiter that the head has most of."""
    head = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise ListRefused(f"{name}:{reader.line_num}: expected CSV, found: {error}; is a quote left open?") from error


def _workbook(content: bytes, name: str) -> Iterator[Sequence[str]]:
    from engine.outbound.workbook import rows_of  # noqa: PLC0415  only where a list is one

    return rows_of(content, name)


def columns_of(head: Sequence[str], wanted: Mapping[str, str], needed: Sequence[str], name: str) -> Mapping[str, int]:
    """Where each column is that we know; ``wanted`` is what the list calls it, by our name.

    Raises:
        ListRefused: one that is needed is not there, or one is there twice; all of it at once.
    """
    places: dict[str, list[int]] = {}
    for place, it in enumerate(head):
        places.setdefault(it.casefold(), []).append(place)
    found = {ours: places.get(theirs.casefold(), []) for ours, theirs in wanted.items()}
    problems = [f"expected the column {wanted[it]!r}, found none" for it in needed if not found[it]]
    problems += [f"expected the column {wanted[it]!r} once, found it {len(at)} times" for it, at in found.items() if len(at) > 1]
    if problems:
        told = ", ".join(it or "(no name)" for it in head[:MOST_COLUMNS])
        raise ListRefused("\n".join(f"{name}: {it}; the columns are: {told}" for it in problems))
    return {ours: at[0] for ours, at in found.items() if at}
