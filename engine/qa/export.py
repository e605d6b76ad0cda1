"""Scores as tidy tables, for the bank's own evaluation: what the tables and their columns are, and the rows of a call.

The names and their meaning stay; columns are only added, at the end. A score is joined with its call by ``content``, a verdict
with its score by ``content`` and ``card``, evidence with its verdict by ``content``, ``card`` and ``question``.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from engine.qa.scored_calls import Answered, Proof, Recorded, ScoredCall, Sought

Value: TypeAlias = str | float | int | bool | datetime | None
Row: TypeAlias = Sequence[Value]

_NAMED = ("call_id", "agent", "team", "queue", "direction", "campaign")  # facts with a column of their own
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")  # what spreadsheets may take for the beginning of a formula


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    FLAG = "true or false"

    MOMENT = "moment"
    """ISO 8601 in UTC: ``2026-09-30T08:15:00Z``."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str

    about: str

    kind: Kind = Kind.TEXT


CALLS: Final = (
    Column("content", "SHA-256 of the recording: its name everywhere"),
    Column("state", "`waiting`, `running`, `scored`, `excluded`, `failed`, `erased`"),
    Column("reason", "why it is excluded, failed or erased"),
    Column("began", "when the call began; where nobody told, when it was first seen", Kind.MOMENT),
    Column("seconds", "how long it lasts; empty until it was heard", Kind.NUMBER),
    Column("source", "`folder`, `api`, `call`, `siprec`, `address`"),
    Column("language", "of the call, told or detected"),
    Column("call_id", "what the bank calls it"),
    Column("agent", "who took it"),
    Column("team", "of the agent"),
    Column("queue", ""),
    Column("direction", "`inbound`, `outbound`"),
    Column("campaign", ""),
    Column("facts", "whatever else was told of the call, as JSON"),
)
SCORES: Final = (
    Column("content", "the call"),
    Column("card", "the scorecard's name"),
    Column("revision", "SHA-256 of what the card says"),
    Column("model", "the revision of what heard the call"),
    Column("points", "0 to 100; empty where nothing was decided", Kind.NUMBER),
    Column("fatal", "whether a question failed that is fatal to the card", Kind.FLAG),
    Column("known", "the share of the asked points that were decided, 0 to 1", Kind.NUMBER),
    Column("scored_at", "when it was scored", Kind.MOMENT),
)
VERDICTS: Final = (
    Column("content", "the call"),
    Column("card", "the scorecard"),
    Column("question", "its name in the card"),
    Column("text", "what people read"),
    Column("section", "of the card"),
    Column("weight", "its points", Kind.NUMBER),
    Column("fatal_to", "`no`, `section`, `card`"),
    Column("verdict", "`pass`, `fail`, `unknown`, `na` (not asked)"),
    Column("confidence", "that the verdict is right, 0 to 1; empty where nobody can say", Kind.NUMBER),
)
EVIDENCE: Final = (
    Column("content", "the call"),
    Column("card", "the scorecard"),
    Column("question", "its name in the card"),
    Column("number", "counts a verdict's evidence from 1", Kind.WHOLE),
    Column(
        "kind", "`found`: said there; `searched`: looked for there and not surely found; `nearest`: what comes nearest to that"
    ),
    Column("start", "seconds from the recording's beginning", Kind.NUMBER),
    Column("end", "seconds from the recording's beginning", Kind.NUMBER),
    Column("speaker", "`caller`, `agent`; empty where nobody can say, or both"),
    Column("text", "what was said there, masked; or what was looked for"),
    Column("confidence", "of `searched`: how well that was heard, 0 to 1", Kind.NUMBER),
    Column("coverage", "of `searched`: the share of it that was heard well enough, 0 to 1", Kind.NUMBER),
)
TABLES: Final[Mapping[str, Sequence[Column]]] = {
    "calls": CALLS,
    "scores": SCORES,
    "verdicts": VERDICTS,
    "evidence": EVIDENCE,
}


def call_row(call: Recorded) -> Row:
    """The row of ``calls``."""
    rest = {name: value for name, value in call.facts.items() if name not in _NAMED}
    told = json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None
    head = (call.content, call.state, call.reason, call.began, call.seconds, call.source, call.language)
    return (*head, *(call.facts.get(name) for name in _NAMED), told)


def score_rows(call: ScoredCall) -> Iterator[tuple[str, Row]]:
    """All other rows of a scored call, each with the name of its table."""
    key = (call.recording.content, call.card)
    yield "scores", (*key, call.revision, call.model, call.points, call.fatal, round(call.known, 4), call.scored_at)
    for it in call.answers:
        yield "verdicts", (*key, it.id, it.text, it.section, it.weight, it.fatal, it.verdict.value, it.confidence)
        for number, row in enumerate(_evidence(it), 1):
            yield "evidence", (*key, it.id, number, *row)


def document(call: Recorded, score: ScoredCall | None) -> dict[str, Any]:
    """The same as one JSON object; ``score`` is null where there is none."""
    told = dict(zip((it.name for it in CALLS), map(plain, call_row(call)), strict=True)) | {"facts": dict(call.facts)}
    return told | {"score": None if score is None else _score(score)}


def plain(value: Value) -> str | float | int | bool | None:
    """A value as JSON and CSV have it: a moment as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: with ``'`` before it where one might (OWASP, "CSV injection")."""
    return f"'{text}" if is_formula(text) else text


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might calculate it: by its first character, blanks and invisible ones aside."""
    if text[:1] in _FORMULA:
        return bool(text)
    first = next((it for it in text if not it.isspace() and unicodedata.category(it) not in {"Cf", "Cc"}), "")
    return first in _FORMULA


def _score(call: ScoredCall) -> dict[str, Any]:
    rows = list(score_rows(call))
    told = dict(zip((it.name for it in SCORES), map(plain, rows[0][1]), strict=True))
    questions = [_named(VERDICTS, row, 2) | {"evidence": []} for table, row in rows if table == "verdicts"]
    by_name = {it["question"]: it["evidence"] for it in questions}
    for table, row in rows:
        if table == "evidence":
            by_name[row[2]].append(_named(EVIDENCE, row, 4))
    del told["content"]
    return told | {"questions": questions}


def _named(columns: Sequence[Column], row: Row, leave_out: int) -> dict[str, Any]:
    """A row as an object, without what stands above it already."""
    return {column.name: plain(value) for column, value in list(zip(columns, row, strict=True))[leave_out:]}


def _evidence(answer: Answered) -> Iterator[Row]:
    for it in answer.evidence:
        yield ("found", *_place(it), None, None)
    for sought in answer.searched:
        yield from _sought(sought)


def _sought(sought: Sought) -> Iterator[Row]:
    what = "; ".join(sought.what)
    for start, end in sought.windows or ((None, None),):
        yield "searched", start, end, sought.by, what, sought.confidence, sought.coverage
    if sought.nearest:
        yield ("nearest", *_place(sought.nearest), None, None)


def _place(it: Proof) -> Row:
    return it.start, it.end, it.speaker, it.text
