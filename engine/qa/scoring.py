"""Scores one call by one card.

* The score is the points of the questions that passed, in per cent of the points of those that passed or failed. What is unknown
  or not applicable leaves the sum; a card of which nothing is known has no score.
* A question fatal to its section takes the section's points with it, one fatal to the card all of them: the score is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def score(card: Scorecard, call: Timeline) -> Score:
    """Answer every question of the card for one call."""
    hearing = Hearing(call, Doubt(card.unsure_below, call.by_machine))
    answers = tuple(Answer(it, _ruling(it, hearing)) for it in card.questions)
    failed = [it.question for it in answers if it.ruling.verdict is Verdict.FAIL]
    fatal = any(it.fatal is Fatal.CARD for it in failed)
    spoilt = {it.section for it in failed if it.fatal is Fatal.SECTION}
    return Score(card, answers, 0.0 if fatal else _points(answers, spoilt), fatal)


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


def _points(answers: Sequence[Answer], spoilt: set[str]) -> float | None:
    decided = [it for it in answers if it.ruling.verdict in {Verdict.PASS, Verdict.FAIL}]
    possible = sum(it.question.weight for it in decided)
    earned = sum(it.question.weight for it in decided if it.ruling.verdict is Verdict.PASS and it.question.section not in spoilt)
    return 100.0 * earned / possible if possible else None
