"""Sheets on which people score the calls that were drawn: written empty, read back filled in.

One row a question of a call: ``sample call question asks recording verdict comment``. CSV (comma, semicolon or tab, as
spreadsheets save it) or JSON lines. Rules:

* Blind by default: a sheet with a column ``engine`` showed its reader the engine's verdicts, and what is on it never counts as
  people's own view.
* An empty verdict is a question not answered yet, and no mistake.
* Each bad row is told in one line, with what was expected and found, and where; the good ones are taken.
* Whoever has answered a question has answered it: the same again changes nothing, something else is refused.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.core.errors import MediaError
from engine.qa.checks import Verdict
from engine.written.problems import did_you_mean, listed

COLUMNS = ("sample", "call", "question", "asks", "recording", "verdict", "comment")
ENGINE = "engine"
"""The column that a blind sheet does not have."""

_NEEDED = ("sample", "call", "question", "verdict")
_VERDICTS = {"pass": Verdict.PASS, "fail": Verdict.FAIL, "na": Verdict.NA, "n/a": Verdict.NA, "unknown": Verdict.UNKNOWN}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for a formula at a cell's beginning (CWE-1236)
_LONGEST = 20_000  # characters of a comment
_SHORTEST_CALL = 8  # characters of a call's hash that name it
_SHOWN = 60  # characters of what was found


@dataclass(frozen=True, slots=True)
class Asked:
    """A row to be filled in."""

    sample: int
    call: str
    question: str
    asks: str
    """The question as people read it."""

    recording: str
    """What the bank calls the call."""

    engine: str | None = None
    """The engine's verdict, on a sheet that shows it."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A row that was filled in."""

    sample: int
    call: str
    question: str
    verdict: Verdict
    comment: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a sheet must fit to."""

    drawn: Mapping[int, Mapping[str, Collection[str]]]
    """The questions of each call of each draw."""

    said: Mapping[tuple[int, str, str], Verdict]
    """What this reviewer has said before: by sample, call and question."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was on a sheet."""

    blind: bool

    filled: tuple[Filled, ...]

    empty: int
    """Rows without a verdict."""

    again: int
    """Rows that say what their reviewer had said before."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """One row as it stands there."""

    place: str

    cells: Mapping[str, str]

    broken: str = ""
    """Why it can't be read."""


class _RowRefused(Exception):
    """What is wrong with a row."""


def write_sheet(rows: Sequence[Asked]) -> str:
    """An empty sheet, as CSV."""
    shown = any(it.engine is not None for it in rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow((*COLUMNS, ENGINE) if shown else COLUMNS)
    for it in rows:
        cells = [it.sample, it.call, it.question, _harmless(it.asks), _harmless(it.recording), "", ""]
        writer.writerow([*cells, it.engine or ""] if shown else cells)
    return text.getvalue()


def read_sheet(text: str, name: str, known: Known) -> Sheet:
    """Read what people filled in; ``name`` is what to call the sheet in messages.

    Raises:
        MediaError: it is no sheet at all.
    """
    rows = _json_rows(text, name) if text.lstrip().startswith("{") else _csv_rows(text, name)
    filled: list[Filled] = []
    problems: list[str] = []
    said = dict(known.said)
    empty = again = 0
    blind = True
    for row in rows:
        blind = blind and ENGINE not in row.cells
        if row.broken:
            problems.append(f"{row.place}: {row.broken}")
            continue
        if not row.cells.get("verdict", "").strip():
            empty += 1
            continue
        try:
            it = _filled(row.cells, known.drawn)
            again += _is_again(it, said)
        except _RowRefused as refused:
            problems.append(f"{row.place}: {refused}")
            continue
        if (it.sample, it.call, it.question) not in said:
            said[it.sample, it.call, it.question] = it.verdict
            filled.append(it)
    return Sheet(blind, tuple(filled), empty, again, tuple(problems))


def _filled(cells: Mapping[str, str], drawn: Mapping[int, Mapping[str, Collection[str]]]) -> Filled:
    sample = _sample(cells.get("sample", ""), drawn)
    call = _call(cells.get("call", ""), sample, drawn[sample])
    question = cells.get("question", "").strip()
    if question not in drawn[sample][call]:
        hint = did_you_mean(question, drawn[sample][call])
        raise _expected("question", f"one of {listed(sorted(drawn[sample][call]))}", question, hint)
    return Filled(sample, call, question, _verdict(cells["verdict"]), _comment(cells.get("comment", "")))


def _sample(text: str, drawn: Mapping[int, object]) -> int:
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) < 10 and int(stripped) in drawn:
        return int(stripped)
    known = f"the number of a draw: {listed(map(str, sorted(drawn)))}" if drawn else "a draw, and there is none"
    raise _expected("sample", known, text)


def _call(text: str, sample: int, drawn: Mapping[str, object]) -> str:
    named = text.strip().lower()
    if named in drawn:
        return named
    found = [it for it in drawn if it.startswith(named)] if len(named) >= _SHORTEST_CALL else []
    if len(found) != 1:
        raise _expected("call", f"a call of draw {sample}", text)
    return found[0]


def _verdict(text: str) -> Verdict:
    verdict = _VERDICTS.get(text.strip().lower())
    if verdict is None:
        raise _expected("verdict", "pass, fail, na or unknown", text, did_you_mean(text.strip().lower(), _VERDICTS))
    return verdict


def _comment(text: str) -> str:
    if len(text) > _LONGEST:
        raise _RowRefused(f"comment: expected at most {_LONGEST} characters, found {len(text)}")
    return text.strip()


def _is_again(it: Filled, said: Mapping[tuple[int, str, str], Verdict]) -> bool:
    before = said.get((it.sample, it.call, it.question))
    if before is not None and before is not it.verdict:
        place = f"of {it.question} of call {it.call[:12]}"
        raise _RowRefused(f"verdict: expected one a reviewer {place}, found {it.verdict.value} after {before.value}")
    return before is not None


def _expected(where: str, expected: str, found: str, hint: str = "") -> _RowRefused:
    shown = found if len(found) <= _SHOWN else f"{found[:_SHOWN]}…"
    return _RowRefused(f"{where}: expected {expected}, found {shown!r}{f'; {hint}' if hint else ''}")


def _csv_rows(text: str, name: str) -> Iterator[_Row]:
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max((",", ";", "\t"), key=first.count))
    head = _head(next(reader, []), name)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Row(f"{name}:{reader.line_num}", {}, f"expected a row of a table (CSV), found: {error}")
            continue
        if any(cells):
            yield _Row(f"{name}:{reader.line_num}", dict(zip(head, cells, strict=False)))


def _head(cells: Sequence[str], name: str) -> list[str]:
    head = [it.strip().lower() for it in cells]
    missing = [it for it in _NEEDED if it not in head]
    if missing:
        raise MediaError(f"{name}:1: expected the columns {listed(_NEEDED)}, found none called {listed(missing)}")
    return head


def _json_rows(text: str, name: str) -> Iterator[_Row]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _json_row(line, f"{name}:{number}")


def _json_row(line: str, place: str) -> _Row:
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _Row(place, {}, f"expected one JSON object a line, found: {error}")
    if not isinstance(found, dict):
        return _Row(place, {}, f"expected one JSON object a line, found {type(found).__name__}")
    return _Row(place, {str(key): "" if value is None else str(value) for key, value in found.items()})


def _harmless(text: str) -> str:
    """What a spreadsheet won't take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
