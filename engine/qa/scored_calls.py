"""Scored calls as they are read back from the store, for reports and exports.

Everything in them was written by somebody else: names by the telephony, words by callers, results perhaps by an older release.
What a result does not tell has a plain default; nothing is believed to be short or harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.core.units import Confidence, Language, Seconds
from engine.qa.checks import Verdict

DECIDED = frozenset({Verdict.PASS, Verdict.FAIL})


@dataclass(frozen=True, slots=True)
class Proof:
    """A place in the call."""

    start: Seconds

    end: Seconds

    speaker: str | None
    """``caller`` or ``agent``; ``None`` where nobody can say."""

    text: str
    """What is said there, masked; empty for a place that was searched in vain."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What was looked for and not surely found."""

    what: tuple[str, ...]

    by: str | None

    windows: tuple[tuple[Seconds, Seconds], ...]

    confidence: Confidence | None

    nearest: Proof | None

    coverage: float | None = None
    """The share of what was said there that was heard well enough, 0 to 1; ``None`` where nobody can say."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One question's answer."""

    id: str

    verdict: Verdict

    confidence: Confidence | None = None

    text: str = ""

    section: str = ""

    weight: float = 1.0

    fatal: str = "no"

    evidence: tuple[Proof, ...] = ()

    searched: tuple[Sought, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording, as the ledger has it."""

    content: str

    state: str

    reason: str | None

    began: datetime
    """UTC; when it was first seen, where nobody told when the call began."""

    source: str

    language: Language | None

    seconds: Seconds | None

    facts: Mapping[str, str] = field(default_factory=dict)

    audio: str | None = None
    """The masked sound's place in the QA folder."""

    @property
    def agent(self) -> str:
        """Who took the call; empty where nobody told."""
        return self.facts.get("agent", "")

    @property
    def team(self) -> str:
        """Of the agent; empty where nobody told."""
        return self.facts.get("team", "")

    @property
    def name(self) -> str:
        """What the bank calls it, or else the beginning of its hash."""
        return self.facts.get("call_id") or self.content[:12]


@dataclass(frozen=True, slots=True)
class ScoredCall:
    """A recording with what the newest revision of one card said of it."""

    recording: Recorded

    card: str

    revision: str

    model: str

    points: float | None
    """0 to 100; ``None`` where no question passed or failed."""

    fatal: bool

    scored_at: datetime

    answers: tuple[Answered, ...]

    @property
    def known(self) -> float:
        """The share of the asked points that were decided, 0 to 1."""
        asked = sum(it.weight for it in self.answers if it.verdict is not Verdict.NA)
        decided = sum(it.weight for it in self.answers if it.verdict in DECIDED)
        return decided / asked if asked else 0.0


def answers_of(result: Mapping[str, Any]) -> tuple[Answered, ...]:
    """The questions of a result (``engine.qa.results``)."""
    return tuple(_answer(it) for it in result.get("questions", ()))


def _answer(found: Mapping[str, Any]) -> Answered:
    return Answered(
        str(found["id"]),
        Verdict(found["verdict"]),
        found.get("confidence"),
        str(found.get("text", "")),
        str(found.get("section", "")),
        float(found.get("weight", 1.0)),
        str(found.get("fatal", "no")),
        tuple(_proof(it) for it in found.get("evidence", ())),
        tuple(_sought(it) for it in found.get("searched", ())),
    )


def _proof(found: Mapping[str, Any]) -> Proof:
    return Proof(Seconds(found["start"]), Seconds(found["end"]), found.get("speaker"), str(found.get("text", "")))


def _sought(found: Mapping[str, Any]) -> Sought:
    windows: Sequence[Mapping[str, Any]] = found.get("windows", ())
    return Sought(
        tuple(map(str, found.get("what", ()))),
        found.get("by"),
        tuple((Seconds(it["start"]), Seconds(it["end"])) for it in windows),
        found.get("confidence"),
        _proof(found["nearest"]) if found.get("nearest") else None,
        found.get("coverage"),
    )
