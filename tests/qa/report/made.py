"""Calls to report on, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from engine.core.units import Confidence, Language, Seconds
from engine.qa.checks import Verdict
from engine.qa.report.tally import Findings, Step, counted
from engine.qa.scored_calls import Answered, Proof, Recorded, ScoredCall, Sought

MONDAY = datetime(2026, 9, 7, 9, tzinfo=UTC)


def recorded(number: int, state: str = "scored", days: float = 0, **facts: str) -> Recorded:
    reason = {"excluded": "nobody speaks", "failed": "expected a sound file, found plain text"}.get(state)
    content = sha256(str(number).encode()).hexdigest()
    began = MONDAY + timedelta(days=days)
    return Recorded(content, state, reason, began, "folder", Language("en"), Seconds(60.0), facts)


def answer(id: str, verdict: str, weight: float = 1.0, **more: Any) -> Answered:
    return Answered(id, Verdict(verdict), Confidence(0.9), f"Is it {id}?", weight=weight, **more)


def call(number: int, verdicts: Mapping[str, str], points: float | None = 100.0, **more: Any) -> ScoredCall:
    facts = more.pop("facts", {"agent": "Ada", "team": "Cards"})
    days, fatal = more.pop("days", 0), more.pop("fatal", False)
    answers = more.pop("answers", tuple(answer(id, verdict) for id, verdict in verdicts.items()))
    kept = recorded(number, days=days, **facts)
    return ScoredCall(kept, more.pop("card", "card"), "ab" * 32, "model-1", points, fatal, MONDAY, answers)


def proof(text: str, start: float = 12.0) -> Proof:
    return Proof(Seconds(start), Seconds(start + 2), "agent", text)


def sought(*what: str, nearest: Proof | None = None) -> Sought:
    return Sought(what, "agent", ((Seconds(0.0), Seconds(30.0)),), Confidence(0.8), nearest, 0.8)


def findings(calls: Sequence[ScoredCall], others: Sequence[Recorded] = (), step: Step = Step.WEEK, worst: int = 5) -> Findings:
    once = {it.recording.content: it.recording for it in calls}
    return counted([*once.values(), *others], calls, Findings(step, UTC, worst))
