"""Scores one call by one card.

* The score is the points of the questions that passed, in per cent of the points of those that passed or failed. What is unknown
  or not applicable leaves the sum; a card of which nothing is known has no score.
* A question fatal to its section takes the section's points with it, one fatal to the card all of them: the score is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from engine.qa.card import Fatal, Question, Scorecard
from engine.qa.checks import Ruling, Verdict, rule
from engine.qa.evaluate import Hearing
from engine.qa.laying import Doubt
from engine.qa.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question."""

    question: Question

    ruling: Ruling


@dataclass(frozen=True, slots=True)
class Score:
    """What came of a card."""

    card: Scorecard

    answers: Sequence[Answer]

    points: float | None
    """0 to 100; ``None`` where no question passed or failed."""

    fatal: bool
    """Whether a question failed that is fatal to the card."""


@dataclass(frozen=True, slots=True)
class Counted:
    """As much of a question as the sum needs."""

    section: str

    weight: float

    fatal: Fatal

    @classmethod
    def of(cls, question: Question) -> Counted:
        return cls(question.section, question.weight, question.fatal)


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a card's verdicts, whoever gave them."""

    points: float | None
    """0 to 100; ``None`` where no question passed or failed."""

    fatal: bool


def total_of(verdicts: Iterable[tuple[Counted, Verdict]]) -> Total:
    """Sum up a call's verdicts, one a question."""
    decided = [(it, verdict) for it, verdict in verdicts if verdict in {Verdict.PASS, Verdict.FAIL}]
    failed = [it for it, verdict in decided if verdict is Verdict.FAIL]
    if any(it.fatal is Fatal.CARD for it in failed):
        return Total(0.0, fatal=True)
    spoilt = {it.section for it in failed if it.fatal is Fatal.SECTION}
    possible = sum(it.weight for it, _ in decided)
    earned = sum(it.weight for it, verdict in decided if verdict is Verdict.PASS and it.section not in spoilt)
    return Total(100.0 * earned / possible if possible else None, fatal=False)


def score(card: Scorecard, call: Timeline) -> Score:
    """Answer every question of the card for one call."""
    hearing = Hearing(call, Doubt(card.unsure_below, call.by_machine))
    answers = tuple(Answer(it, _ruling(it, hearing)) for it in card.questions)
    total = total_of((Counted.of(it.question), it.ruling.verdict) for it in answers)
    return Score(card, answers, total.points, total.fatal)


def _ruling(question: Question, call: Hearing) -> Ruling:
    if question.applies is None:
        return rule(question.check, call)
    applies = rule(question.applies, call)
    match applies.verdict:
        case Verdict.PASS:
            return rule(question.check, call)
        case Verdict.FAIL:
            return replace(applies, verdict=Verdict.NA)
    return applies
