"""What a new revision of a card would change: the verdicts that flip, before any of them counts.

Nothing is written. A question that only the new revision has, or only the old one, is told as ``new`` or ``gone`` and is no flip.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NEW = "new"
GONE = "gone"

_EDGES = (-50.0, -20.0, -5.0, -0.05, 0.05, 5.0, 20.0, 50.0)  # points; scores are kept rounded to a tenth
MOVES = ("-100 to -50", "-50 to -20", "-20 to -5", "-5 to 0", "the same", "0 to +5", "+5 to +20", "+20 to +50", "+50 to +100")
"""How far a score moves, in classes."""

_MOST_CALLS = 10_000  # kept with their flips; beyond, only counted


@dataclass(frozen=True, slots=True)
class Before:
    """A call as it is scored now."""

    call: str

    transcript: str
    """Its place in the QA folder."""

    verdicts: Mapping[str, str]

    points: float | None

    fatal: bool


@dataclass(frozen=True, slots=True)
class Flip:
    """One verdict that the new revision gives differently."""

    question: str

    was: str

    now: str

    at: float | None
    """Seconds; where in the call the new verdict's proof lies."""

    text: str
    """What is said there, and what was sought and not surely found."""


@dataclass(frozen=True, slots=True)
class Rescored:
    """A call as the new revision scores it."""

    before: Before

    verdicts: Mapping[str, str]

    points: float | None

    fatal: bool

    flips: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class NotRescored:
    """A call whose transcript can't be scored."""

    before: Before

    reason: str


@dataclass(slots=True)
class Impact:
    """What is known so far of all calls."""

    calls: int = 0

    changes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By question, old and new verdict; those that stay the same too."""

    moved: Counter[str] = field(default_factory=Counter)
    """Calls by how far their score moves, in the classes ``MOVES``."""

    sum_of_moves: float = 0.0

    compared: int = 0
    """Calls that have a score before and after."""

    fatal_before: int = 0

    fatal_after: int = 0

    flipped: list[Rescored] = field(default_factory=list)

    failed: list[NotRescored] = field(default_factory=list)

    def add(self, one: Rescored | NotRescored) -> None:
        """Count one call."""
        if isinstance(one, NotRescored):
            self.failed.append(one)
            return
        self.calls += 1
        self.changes.update(_changes(one))
        self.fatal_before += one.before.fatal
        self.fatal_after += one.fatal
        if one.flips and len(self.flipped) < _MOST_CALLS:
            self.flipped.append(one)
        if one.points is not None and one.before.points is not None:
            move = one.points - one.before.points
            self.compared += 1
            self.sum_of_moves += move
            self.moved[MOVES[bisect_right(_EDGES, move)]] += 1

    @property
    def flips(self) -> int:
        """Verdicts that change."""
        return sum(often for (_, was, now), often in self.changes.items() if was != now and not {was, now} & {NEW, GONE})

    @property
    def worst(self) -> Sequence[Rescored]:
        """Calls with flips, those whose score moves furthest first."""
        return sorted(self.flipped, key=lambda it: (-abs((it.points or 0.0) - (it.before.points or 0.0)), it.before.call))


def compared(before: Before, result: Mapping[str, Any]) -> Rescored:
    """Put a new result (``engine.qa.results``) beside the old verdicts."""
    verdicts = {it["id"]: it["verdict"] for it in result["questions"]}
    flips = tuple(
        _flip(it, was) for it in result["questions"] if (was := before.verdicts.get(it["id"])) not in {None, it["verdict"]}
    )
    return Rescored(before, verdicts, result["score"], result["fatal"], flips)


def _changes(one: Rescored) -> list[tuple[str, str, str]]:
    questions = dict.fromkeys([*one.verdicts, *one.before.verdicts])
    return [(it, one.before.verdicts.get(it, NEW), one.verdicts.get(it, GONE)) for it in questions]


def _flip(question: Mapping[str, Any], was: str | None) -> Flip:
    at, text = proof_of(question)
    return Flip(question["id"], was or NEW, question["verdict"], at, text)


def proof_of(question: Mapping[str, Any]) -> tuple[float | None, str]:
    """Where a result's proof of one answer begins, in seconds, and what is said there; or else what was sought."""
    proof = next(iter(question["evidence"]), None)
    sought = ", ".join(what for it in question["searched"] for what in it["what"])
    parts = [proof["text"] if proof else "", f"sought: {sought}" if sought else ""]
    return proof["start"] if proof else None, "; ".join(filter(None, parts))
