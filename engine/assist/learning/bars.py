"""Thresholds, chosen so that wrong jumps stay rare.

What a phrase comes to under given thresholds is asked of the ladder itself. ``accept`` is the lowest that keeps the promise

    (wrong jumps, summed over the groups' shares + 1) / (groups + 1) <= goal

which is conformal risk control (Angelopoulos et al., ICLR 2024): of phrases like these, in the mean over all samples that might
have been drawn, no more than ``goal`` will jump wrongly. It needs at least ``1 / goal - 1`` groups; with fewer, nothing is
proposed. The promise is for one number; ``margin`` is one of a few and ``confirm`` does not bear on jumps, so what counts is the
judging on other data that follows.

``confirm`` is the lowest from which on what is asked back is right four times in five: below it, a person is the better choice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from engine.core.units import Confidence
from engine.dialogue.actions import Rung
from engine.dialogue.graph import Flow, Thresholds
from engine.dialogue.ladder import Option, Target, decide, limits_for

_ACCEPTS = tuple(Confidence(round(0.40 + 0.01 * step, 2)) for step in range(60))
_MARGINS = (Confidence(0.0), Confidence(0.1), Confidence(0.2), Confidence(0.3), Confidence(0.4))
_CONFIRMS = tuple(Confidence(round(0.20 + 0.05 * step, 2)) for step in range(16))
_WORTH_ASKING = 0.8  # share of right guesses
_FEWEST_ASKED = 20  # phrases that a share of right guesses is believed of


class Outcome(StrEnum):
    """What a phrase comes to."""

    RIGHT = "jumped_right"
    WRONG = "jumped_wrong"
    ASKED = "asked_back"
    HANDED = "handed_over"
    REFUSED = "not_understood"


@dataclass(frozen=True, slots=True)
class Case:
    """A phrase as it was understood, and what the caller wanted."""

    options: tuple[Option, ...]
    """Likeliest first, one a target."""

    out_of_scope: Confidence | None

    wanted: Target | None
    """``None`` where the flow does not serve it."""

    group: int = 0
    """Of what goes right or wrong together."""

    heard: bool = True
    """Whether there are words at all."""

    @property
    def right(self) -> bool:
        """Whether the likeliest is what the caller wants."""
        return bool(self.options) and self.options[0].target == self.wanted


LimitsOf = Callable[[Option | None], Thresholds]


def outcome(case: Case, limits_of: LimitsOf) -> Outcome:
    """Take the rung that a call would take."""
    if not case.heard:
        return Outcome.REFUSED
    first = case.options[0] if case.options else None
    decision = decide(case.options, case.out_of_scope, limits_of(first))
    match decision.rung:
        case Rung.JUMP:
            return Outcome.RIGHT if decision.first is not None and decision.first.target == case.wanted else Outcome.WRONG
        case Rung.CONFIRM | Rung.CHOOSE:
            return Outcome.ASKED
        case Rung.AGENT:
            return Outcome.HANDED
    return Outcome.REFUSED


@dataclass(frozen=True, slots=True)
class Bars:
    """Thresholds for a flow."""

    everywhere: Thresholds

    accepts: Mapping[str, Confidence] = field(default_factory=dict)
    """By intent, where the data carries one of its own."""

    def of(self, option: Option | None) -> Thresholds:
        """For what is likeliest."""
        own = None if option is None else self.accepts.get(option.intent)
        return self.everywhere if own is None else replace(self.everywhere, accept=own)


def as_the_flow_has_it(flow: Flow) -> LimitsOf:
    """The thresholds of today."""
    return lambda option: limits_for(flow, option)


def fewest_groups(goal: float) -> int:
    """How many groups a promise about ``goal`` needs."""
    return int(np.ceil(round(1 / goal - 1, 6)))


def fit(cases: Sequence[Case], goal: float, present: Thresholds, surplus: float = 1.0) -> Bars | None:
    """Choose thresholds, of several that keep the promise those with the fewest phrases handed over or asked back.

    ``surplus`` stands for the 1 in the promise; with 0 it is kept in these cases, and nothing is promised of others.

    ``None``: nothing keeps it, as a rule because there is too little data.
    """
    with_margins = (replace(present, margin=margin) for margin in _margins(present))
    found = [bars for limits in with_margins if (bars := _with_accept(cases, goal, limits, surplus))]
    if not found:
        return None
    everywhere = min(found, key=lambda limits: _trouble(cases, limits))
    chosen = replace(everywhere, confirm=min(_confirm(cases, everywhere), everywhere.accept))
    return Bars(chosen, _by_intent(cases, goal, chosen) if surplus else {})


def _margins(present: Thresholds) -> Sequence[Confidence]:
    """The present one first, so that it stays where another is no better."""
    return (present.margin, *(margin for margin in _MARGINS if margin != present.margin))


def _with_accept(cases: Sequence[Case], goal: float, limits: Thresholds, surplus: float) -> Thresholds | None:
    accept = lowest_accept(cases, goal, limits, surplus)
    return None if accept is None else replace(limits, accept=accept, confirm=min(limits.confirm, accept))


def lowest_accept(cases: Sequence[Case], goal: float, limits: Thresholds, surplus: float = 1.0) -> Confidence | None:
    """The lowest ``accept`` that keeps the promise, the others being as in ``limits``; ``None`` where none does."""
    low, high = 0, len(_ACCEPTS)  # wrong jumps only get fewer with a higher bar
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _kept(cases, goal, replace(limits, accept=_ACCEPTS[middle]), surplus) else (middle + 1, high)
    return _ACCEPTS[low] if low < len(_ACCEPTS) else None


def _kept(cases: Sequence[Case], goal: float, limits: Thresholds, surplus: float) -> bool:
    wrong: dict[int, list[bool]] = defaultdict(list)
    for case in cases:
        wrong[case.group].append(outcome(case, lambda _: limits) is Outcome.WRONG)
    return sum(sum(one) / len(one) for one in wrong.values()) + surplus <= goal * (len(wrong) + surplus)


def _trouble(cases: Sequence[Case], limits: Thresholds) -> int:
    counted = Counter(outcome(case, lambda _: limits) for case in cases)
    return counted[Outcome.HANDED] + counted[Outcome.ASKED]


def _confirm(cases: Sequence[Case], limits: Thresholds) -> Confidence:
    """The present one where too few phrases lie below ``accept`` to choose another."""
    below = [case for case in cases if case.options and case.options[0].likelihood < limits.accept]
    for confirm in _CONFIRMS:
        asked = [case.right for case in below if case.options[0].likelihood >= confirm]
        if len(asked) < _FEWEST_ASKED:
            return limits.confirm
        if sum(asked) / len(asked) >= _WORTH_ASKING:
            return confirm
    return limits.accept


def _by_intent(cases: Sequence[Case], goal: float, limits: Thresholds) -> Mapping[str, Confidence]:
    guessed: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.options:
            guessed[case.options[0].intent].append(case)
    own = {intent: lowest_accept(some, goal, limits) for intent, some in sorted(guessed.items())}
    return {intent: accept for intent, accept in own.items() if accept is not None and accept != limits.accept}
