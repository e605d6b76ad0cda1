"""The score that counts: the engine's, with people's verdicts beside it.

The engine's result is never changed. Of each question counts what an upheld appeal says, else what a person said last, else the
engine's verdict; the sum is the card's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from engine.qa.card import Fatal
from engine.qa.checks import Verdict
from engine.qa.scoring import Counted, Total, total_of


class Source(StrEnum):
    """Whose verdict it is."""

    ENGINE = "engine"
    REVIEW = "review"
    APPEAL = "appeal"


@dataclass(frozen=True, slots=True)
class Said:
    """A person's verdict."""

    question: str

    verdict: Verdict

    by: str

    at: datetime

    on_appeal: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """The verdict that counts for a question."""

    verdict: Verdict

    source: Source

    by: str | None = None
    """The person, where it is a person's."""


@dataclass(frozen=True, slots=True)
class Effective:
    """A call's score as it counts."""

    points: float | None

    fatal: bool

    verdicts: Mapping[str, Counts]
    """By question."""


def effective(result: Mapping[str, Any], said: Sequence[Said]) -> Effective:
    """Sum a stored result (``engine.qa.results``) up anew, people's verdicts taken into account."""
    verdicts = {it["id"]: _counts(it, [one for one in said if one.question == it["id"]]) for it in result["questions"]}
    total: Total = total_of((counted(it), verdicts[it["id"]].verdict) for it in result["questions"])
    return Effective(total.points, total.fatal, verdicts)


def counted(question: Mapping[str, Any]) -> Counted:
    """How much a question of a stored result counts."""
    return Counted(
        str(question.get("section", "")), float(question.get("weight", 1.0)), Fatal(question.get("fatal", Fatal.NO.value))
    )


def _counts(question: Mapping[str, Any], said: Sequence[Said]) -> Counts:
    if not said:
        return Counts(Verdict(question["verdict"]), Source.ENGINE)
    last = max(said, key=lambda it: (it.on_appeal, it.at, it.by))
    return Counts(last.verdict, Source.APPEAL if last.on_appeal else Source.REVIEW, last.by)
