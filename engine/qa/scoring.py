"""Scores one call by one card.

* The score is the points of the questions that passed, in per cent of the points of those that passed or failed. What is unknown
  or not applicable leaves the sum; a card of which nothing is known has no score.
* A card that does not apply to the call has no score; every question is not applicable.
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
    hearing = hearing_of(card, call)
    answers = tuple(Answer(it, answered(card, it, hearing)) for it in card.questions)
    total = total_of((Counted.of(it.question), it.ruling.verdict) for it in answers)
    return Score(card, answers, total.points, total.fatal)


def hearing_of(card: Scorecard, call: Timeline) -> Hearing:
    """The call as the card hears it."""
    return Hearing(call, Doubt(card.unsure_below, call.by_machine, card.heard_at_least), card.encoder)


def answered(card: Scorecard, question: Question, call: Hearing) -> Ruling:
    """Answer one question, if the card and the question apply at all."""
    for condition in (card.applies, question.applies):
        if condition is None:
            continue
        applies = rule(condition, call)
        if applies.verdict is not Verdict.PASS:
            return replace(applies, verdict=Verdict.NA) if applies.verdict is Verdict.FAIL else applies
    return rule(question.check, call)
