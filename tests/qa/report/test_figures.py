"""Means, shares, places."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.qa.report.figures import Estimate, Scores, places, wilson

SHARES = st.floats(0, 1)
ESTIMATES = st.tuples(SHARES, SHARES, SHARES).map(sorted).map(lambda it: Estimate(it[1], it[0], it[2]))


def test_wilsons_interval_is_the_one_in_the_books() -> None:
    found = wilson(0.1, 10)  # Newcombe (1998), method 3: 1 of 10

    assert (found.low, found.high) == (pytest.approx(0.0179, abs=2e-4), pytest.approx(0.4042, abs=2e-4))


def test_nothing_failed_among_few_is_not_taken_for_nothing_ever_fails() -> None:
    found = wilson(0.0, 10)

    assert found.low == 0.0
    assert found.high == pytest.approx(0.2775, abs=2e-4)


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one trial"):
        wilson(0.5, 0)


@given(SHARES, st.floats(0.5, 1e6))
def test_an_interval_holds_its_share_and_stays_within_bounds(share: float, trials: float) -> None:
    found = wilson(share, trials)

    assert 0.0 <= found.low <= share <= found.high <= 1.0


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 20)), min_size=1, max_size=60))
def test_scores_mean_what_they_are(calls: list[tuple[float, int]]) -> None:
    scores = Scores()
    for points, cells in calls:
        scores.add(points, cells)
    mean = scores.mean

    assert mean is not None
    assert mean.value == pytest.approx(sum(points for points, _ in calls) / len(calls) / 100, abs=1e-9)


def test_no_scores_have_no_mean() -> None:
    assert Scores().mean is None


def test_equal_scores_are_worth_no_more_than_their_number() -> None:
    scores = Scores()
    for _ in range(10):
        scores.add(100.0, 8)
    mean = scores.mean

    assert mean is not None
    assert mean.low == pytest.approx(wilson(1.0, 10).low)


@pytest.mark.parametrize("calls", [30, 200])
def test_the_interval_of_a_mean_holds_the_truth_nineteen_times_of_twenty(calls: int) -> None:
    """Calls of 8 questions, whose agents differ: a beta-binomial, so that the questions of a call hang together."""
    draw, truth, held, rounds = random.Random(5), 0.85, 0, 400
    for _ in range(rounds):
        scores = Scores()
        for _ in range(calls):
            skill = draw.betavariate(8.5, 1.5)
            scores.add(100 * sum(draw.random() < skill for _ in range(8)) / 8, 8)
        mean = scores.mean
        held += mean is not None and mean.low <= truth <= mean.high

    assert 0.925 <= held / rounds <= 0.985


def test_places_are_ranges_where_intervals_meet() -> None:
    apart, above, below = Estimate(0.95, 0.94, 0.96), Estimate(0.9, 0.85, 0.92), Estimate(0.88, 0.8, 0.91)

    assert places([apart, above, below]) == [(1, 1), (2, 3), (2, 3)]


@given(st.lists(ESTIMATES, min_size=1, max_size=12))
def test_a_place_counts_those_that_are_surely_better_and_worse(estimates: list[Estimate]) -> None:
    for it, (best, worst) in zip(estimates, places(estimates), strict=True):
        assert best == 1 + sum(other.low > it.high for other in estimates)
        assert worst == len(estimates) - sum(other.high < it.low for other in estimates)
