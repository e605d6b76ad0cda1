"""The engine's verdicts beside people's, question by question: agreement, error over all calls, and what it allows.

Rules:

* Only calls that were drawn count, and only verdicts of people who did not see the engine's: others would flatter it.
* What several people say of one call shares the call's weight. Drawn calls that nobody has scored yet count as missing by chance
  in their stratum: the others stand for them.
* Wrong is a pass, fail or na where a person decided otherwise. An unknown is not wrong: it goes to people.
* For the intervals of agreement, calls of one draw that stand for about as many calls (to a factor of two) are drawn anew
  together: many strata are too small to be drawn from alone.
* A language's figures are those of its calls among the drawn; how many there are in all is estimated from the draw.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

from engine.core.units import Confidence, Language
from engine.qa.agreement import RESAMPLES, Agreement, Pair, agreement_of
from engine.qa.card import Fatal
from engine.qa.checks import Verdict
from engine.qa.estimates import Estimate, Scored, mean_of_all, share_of_all
from engine.qa.promotion import Demands, Judgement, judge
from engine.qa.scoring import Counted, total_of

_POINTS = (0.0, 100.0)
_ENDLESS = 1_000_000_000  # appeals yet to come


@dataclass(frozen=True, slots=True)
class Given:
    """The engine's answer to a question."""

    verdict: Verdict

    confidence: Confidence | None

    counts: Counted


@dataclass(frozen=True, slots=True)
class ReviewedCall:
    """A drawn call, whether or not somebody has scored it yet."""

    draw: int

    call: str

    stratum: str

    language: Language | None

    points: float | None

    fatal: bool

    given: Mapping[str, Given]
    """By question."""

    said: Mapping[str, Mapping[str, Verdict]]
    """By reviewer and question: what people said who did not see the engine's verdicts."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one card's revision."""

    calls: Sequence[ReviewedCall]

    sizes: Mapping[int, Mapping[str, int]]
    """Calls in each stratum of each draw."""

    appeals: tuple[int, int] = (0, 0)
    """Upheld, and decided at all."""

    def of(self, language: Language) -> Evidence:
        """The part of one language."""
        drawn = Counter((it.draw, it.stratum) for it in self.calls)
        calls = [it for it in self.calls if it.language == language]
        theirs = Counter((it.draw, it.stratum) for it in calls)
        sizes = {
            draw: {
                name: max(theirs[draw, name], round(size * _part(theirs, drawn, (draw, name)))) for name, size in strata.items()
            }
            for draw, strata in self.sizes.items()
        }
        return Evidence(calls, sizes, self.appeals)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """One question."""

    question: str

    agreement: Agreement

    people: Agreement
    """Of people among each other."""

    wrong: Estimate
    """Share of all calls that have a wrong verdict."""

    allows: Judgement


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole score."""

    drawn: int

    scored: int
    """Of the drawn calls, by anybody, in whole or in part."""

    off: Estimate
    """How many points a call's score is off, in the mean over all calls."""

    lean: Estimate
    """The same with its sign: above 0 the engine is kinder than people."""

    false_fatal: Estimate
    """Share of all calls that the engine calls fatal and people don't."""

    overturned: Estimate
    """Share of answered appeals that were upheld."""


def calibrated(
    evidence: Evidence, demands: Demands | None = None, *, seed: int = 0, resamples: int = RESAMPLES
) -> Sequence[Calibrated]:
    """Every question that occurs, as the card has them."""
    questions = dict.fromkeys(name for it in evidence.calls for name in it.given)
    found = []
    for name in questions:
        beside = agreement_of(_pairs(name, evidence, _beside_the_engine), seed=seed, resamples=resamples)
        people = agreement_of(_pairs(name, evidence, _beside_each_other), seed=seed, resamples=resamples // 4)
        wrong = share_of_all(_strata(evidence, partial(_is_wrong, name)))
        found.append(Calibrated(name, beside, people, wrong, judge(beside, people, demands)))
    return found


def whole(evidence: Evidence) -> Whole:
    """What is true of the score as a whole."""
    upheld, decided = evidence.appeals
    return Whole(
        drawn=len(evidence.calls),
        scored=sum(bool(it.said) for it in evidence.calls),
        off=mean_of_all(_strata(evidence, lambda it: _mean(map(abs, _differences(it)))), _POINTS),
        lean=mean_of_all(_strata(evidence, lambda it: _mean(_differences(it))), (-100.0, 100.0)),
        false_fatal=share_of_all(_strata(evidence, _is_falsely_fatal)),
        overturned=share_of_all([Scored(0, _ENDLESS, [1.0] * upheld + [0.0] * (decided - upheld))] if decided else []),
    )


Beside = Callable[[str, ReviewedCall], Sequence[tuple[Verdict, Verdict]]]


def _pairs(question: str, evidence: Evidence, beside: Beside) -> list[Pair]:
    """Each with as many calls as it stands for."""
    found = [(it, beside(question, it)) for it in evidence.calls]
    found = [(it, both) for it, both in found if both]
    scored = Counter((it.draw, it.stratum) for it, _ in found)
    of_draw = Counter(it.draw for it, _ in found)
    pairs = []
    for it, both in found:
        stands_for = evidence.sizes[it.draw][it.stratum] / scored[it.draw, it.stratum] * of_draw[it.draw] / len(found)
        stratum, given = f"{it.draw} {math.floor(math.log2(stands_for))}", it.given.get(question)
        sure = given.confidence if given else None
        pairs += [Pair(it.call, one, other, sure, stands_for / len(both), stratum) for one, other in both]
    return pairs


def _beside_the_engine(question: str, call: ReviewedCall) -> Sequence[tuple[Verdict, Verdict]]:
    given = call.given.get(question)
    return [(given.verdict, said[question]) for said in call.said.values() if question in said] if given else []


def _beside_each_other(question: str, call: ReviewedCall) -> Sequence[tuple[Verdict, Verdict]]:
    said = [it[question] for _, it in sorted(call.said.items()) if question in it]
    return list(combinations(said, 2))


def _is_wrong(question: str, call: ReviewedCall) -> float | None:
    both = _beside_the_engine(question, call)
    told = [(engine, person) for engine, person in both if person is not Verdict.UNKNOWN]
    return _mean(engine is not Verdict.UNKNOWN and engine is not person for engine, person in told)


def _differences(call: ReviewedCall) -> list[float]:
    """Points that the engine gives more than each person who answered every question."""
    if call.points is None:
        return []
    by_people = [_points(call, said) for said in call.said.values() if said.keys() >= call.given.keys()]
    return [call.points - it for it in by_people if it is not None]


def _points(call: ReviewedCall, said: Mapping[str, Verdict]) -> float | None:
    return total_of((given.counts, said[name]) for name, given in call.given.items()).points


def _is_falsely_fatal(call: ReviewedCall) -> float | None:
    fatal = [name for name, it in call.given.items() if it.counts.fatal is Fatal.CARD]
    answers = [[said[name] for name in fatal] for said in call.said.values() if said.keys() >= set(fatal)]
    return _mean(call.fatal and Verdict.FAIL not in it for it in answers) if fatal else None


def _strata(evidence: Evidence, value: Callable[[ReviewedCall], float | None]) -> list[Scored]:
    found: dict[tuple[int, str], list[float]] = {(draw, name): [] for draw, strata in evidence.sizes.items() for name in strata}
    for it in evidence.calls:
        told = value(it)
        if told is not None:
            found[it.draw, it.stratum].append(told)
    sizes = {key: evidence.sizes[key[0]][key[1]] for key in found}
    return [Scored(draw, sizes[draw, name], values) for (draw, name), values in found.items() if sizes[draw, name]]


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return sum(listed) / len(listed) if listed else None


def _part(some: Mapping[tuple[int, str], int], every: Mapping[tuple[int, str], int], key: tuple[int, str]) -> float:
    return some[key] / every[key] if every[key] else 0.0
