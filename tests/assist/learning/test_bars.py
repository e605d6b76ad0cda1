"""Thresholds that keep a promise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from engine.assist.learning.bars import Bars, Case, Outcome, fewest_groups, fit, lowest_accept, outcome
from engine.core.units import Confidence
from engine.dialogue.graph import NodeId, Thresholds
from engine.dialogue.ladder import Option

PRESENT = Thresholds()
SURE = st.floats(0.0, 1.0).map(Confidence)


def option(name: str, sure: float) -> Option:
    return Option(name, NodeId(name), Confidence(sure))


def case(sure: float, *, right: bool, group: int = 0, said: str = "card") -> Case:
    return Case((option(said, sure),), None, NodeId(said if right else "other"), group)


def came_to(one: Case, **limits: float) -> Outcome:
    return outcome(one, lambda _: replace(PRESENT, **limits))


@pytest.mark.parametrize(
    ("sure", "right", "comes_to"),
    [
        (0.9, True, Outcome.RIGHT),
        (0.9, False, Outcome.WRONG),
        (0.6, False, Outcome.ASKED),
        (0.3, True, Outcome.HANDED),
    ],
)
def test_a_phrase_comes_to_what_the_ladder_says(sure: float, right: bool, comes_to: Outcome) -> None:
    assert came_to(case(sure, right=right)) is comes_to


def test_two_close_meanings_are_asked_about() -> None:
    close = Case((option("card", 0.5), option("loan", 0.45)), None, NodeId("card"))

    assert came_to(close) is Outcome.ASKED


def test_what_is_not_heard_or_out_of_scope_is_not_understood() -> None:
    sure = case(0.9, right=True)

    assert came_to(replace(sure, heard=False)) is Outcome.REFUSED
    assert came_to(replace(sure, out_of_scope=Confidence(0.9))) is Outcome.REFUSED


def test_who_wants_nothing_of_the_flow_is_never_jumped_rightly() -> None:
    assert came_to(replace(case(0.9, right=True), wanted=None)) is Outcome.WRONG


@pytest.mark.parametrize(("goal", "groups"), [(0.01, 99), (0.05, 19), (0.1, 9), (0.5, 1)])
def test_a_promise_needs_groups(goal: float, groups: int) -> None:
    flawless = [case(0.95, right=True, group=number) for number in range(groups)]

    assert fewest_groups(goal) == groups
    assert fit(flawless, goal, PRESENT) is not None
    assert fit(flawless[1:], goal, PRESENT) is None


def test_accept_lies_just_above_what_is_wrong() -> None:
    cases = [case(0.95, right=True, group=number) for number in range(99)]
    cases += [case(0.72, right=False, group=number) for number in range(99, 199)]

    assert lowest_accept(cases, 0.01, PRESENT) == 0.73


def test_where_sureness_says_nothing_no_threshold_is_proposed() -> None:
    cases = [case(0.999, right=number % 2 == 0, group=number) for number in range(400)]

    assert fit(cases, 0.01, PRESENT) is None


def test_one_group_counts_once_however_often_it_is_wrong() -> None:
    flawless = [case(0.9, right=True, group=number) for number in range(398)]
    often = [case(0.9, right=False, group=400)] * 50

    assert lowest_accept(flawless + often, 0.01, PRESENT) == 0.40


def test_what_is_asked_back_is_right_four_times_in_five() -> None:
    cases = [case(0.95, right=True, group=number) for number in range(200)]
    cases += [case(0.75, right=number % 10 > 0, group=200 + number) for number in range(40)]
    cases += [case(0.35, right=number % 10 == 0, group=300 + number) for number in range(40)]
    bars = fit(cases, 0.01, PRESENT)

    assert bars is not None
    assert bars.everywhere.accept == 0.76
    assert bars.everywhere.confirm == 0.40


def test_an_intent_gets_its_own_threshold_only_where_it_has_phrases_enough() -> None:
    surer = [case(0.95, right=True, group=number) for number in range(120)]
    surer += [case(0.85, right=False, group=200 + number) for number in range(30)]
    rare = [case(0.6, right=True, group=300 + number, said="rare") for number in range(20)]
    usual = [case(0.6, right=True, group=400 + number, said="usual") for number in range(120)]
    bars = fit([*surer, *rare, *usual], 0.01, PRESENT)

    assert bars is not None
    assert bars.everywhere.accept == 0.86
    assert set(bars.accepts) == {"usual"}
    assert bars.of(option("usual", 0.5)).accept == 0.40
    assert bars.of(option("rare", 0.5)).accept == 0.86
    assert bars.of(None) == bars.everywhere


@given(st.lists(st.tuples(SURE, st.booleans()), min_size=20, max_size=60))
def test_the_promise_holds_for_what_it_was_fitted_on(seen: list[tuple[Confidence, bool]]) -> None:
    cases = [case(sure, right=right, group=number) for number, (sure, right) in enumerate(seen)]
    accept = lowest_accept(cases, 0.1, PRESENT)

    if accept is not None:
        limits = replace(PRESENT, accept=accept)
        wrong = sum(outcome(one, lambda _: limits) is Outcome.WRONG for one in cases)
        assert (wrong + 1) / (len(cases) + 1) <= 0.1


@given(SURE, SURE, SURE, SURE, st.booleans())
@example(Confidence(0.0), Confidence(0.1015625), Confidence(0.1015625), Confidence(0.0625), False)
def test_a_higher_bar_never_makes_a_wrong_jump_of_what_was_none(
    first: Confidence, second: Confidence, low: Confidence, high: Confidence, right: bool
) -> None:
    assume(min(first, second) < min(low, high))  # where both pass, a bar between them makes one of two
    options = (option("card", max(first, second)), option("loan", min(first, second)))
    one = Case(options, None, NodeId("card" if right else "other"))
    limits = Bars(replace(PRESENT, accept=min(low, high))), Bars(replace(PRESENT, accept=max(low, high)))

    assert (outcome(one, limits[1].of) is Outcome.WRONG) <= (outcome(one, limits[0].of) is Outcome.WRONG)
