"""Draws of calls for people, and what they tell of all calls."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.qa.checks import Verdict
from engine.qa.estimates import Scored, calls_for_half_width, mean_of_all, share_of_all
from engine.qa.sampling import OTHERS, By, Candidate, Draw, calls_for, draw, part_for_two

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN


def candidates(fails: int, unknown: int, passes: int, question: str = "greets") -> list[Candidate]:
    verdicts = [FAIL] * fails + [UNKNOWN] * unknown + [PASS] * passes
    return [Candidate(f"call {n}", {question: it}) for n, it in enumerate(verdicts)]


def test_the_same_seed_draws_the_same_calls_in_whatever_order_they_come() -> None:
    calls = candidates(30, 20, 500)
    mixed = random.Random(1).sample(calls, len(calls))

    assert draw(calls, 60, seed=7) == draw(mixed, 60, seed=7)
    assert {it.call for it in draw(calls, 60, seed=7).calls} != {it.call for it in draw(calls, 60, seed=8).calls}


def test_one_more_call_moves_at_most_one_other() -> None:
    before = {it.call for it in draw(candidates(30, 20, 500), 60, seed=7).calls}
    after = {it.call for it in draw(candidates(30, 20, 501), 60, seed=7).calls}

    assert len(before - after) <= 1


def test_rare_verdicts_get_more_than_their_share_and_the_chance_says_so() -> None:
    drawn = draw(candidates(25, 0, 2475), 50, seed=1)
    fails = [it for it in drawn.calls if it.stratum == "fail greets"]

    assert len(drawn.calls) == 50
    assert len(fails) == drawn.strata["fail greets"].drawn >= 5
    assert {it.probability for it in fails} == {len(fails) / 25}
    assert sum(1 / it.probability for it in drawn.calls) == pytest.approx(2500)


def test_calls_are_told_apart_by_the_failed_question_that_is_rarest() -> None:
    calls = [Candidate(f"c{n}", {"often": FAIL, "seldom": FAIL if n < 3 else PASS}) for n in range(40)]

    assert {name: it.size for name, it in draw(calls, 10, seed=1).strata.items()} == {"fail seldom": 3, "fail often": 37}


def test_calls_are_told_apart_by_score_and_team_too() -> None:
    calls = [
        Candidate(f"c{n}", {}, points, facts={"team": team}) for n, (points, team) in enumerate([(100.0, "a"), (74.9, "b")] * 4)
    ]

    assert set(draw(calls, 8, seed=1, by=(By.BAND, By.TEAM)).strata) == {"75-100/a", "50-75/b"}
    assert set(draw(candidates(0, 4, 4), 8, seed=1, by=(By.VERDICT, By.AGENT)).strata) == {"unknown/?", "pass/?"}


def test_strata_too_many_for_the_draw_become_one() -> None:
    calls = [Candidate(f"c{n}", {}, facts={"agent": f"agent {n // 2}"}) for n in range(60)]
    strata = draw(calls, 8, seed=1, by=(By.AGENT,)).strata

    assert len(strata) == 4
    assert strata[OTHERS].size == 54


def test_a_long_name_is_cut_and_stays_its_own() -> None:
    calls = [Candidate(f"c{n}", {}, facts={"agent": "x" * 90 + str(n % 2)}) for n in range(8)]
    strata = draw(calls, 8, seed=1, by=(By.AGENT,)).strata

    assert [it.size for it in strata.values()] == [4, 4]
    assert max(map(len, strata)) <= 64


@given(
    st.integers(0, 12), st.integers(0, 12), st.integers(0, 200), st.integers(0, 120), st.lists(st.sampled_from(By), max_size=3)
)
def test_every_draw_has_its_size_and_its_chances_sum_up_to_all_calls(
    fails: int, unknown: int, passes: int, size: int, by: list[By]
) -> None:
    calls = candidates(fails, unknown, passes)
    drawn = draw(calls, size, seed=3, by=by)

    assert len({it.call for it in drawn.calls}) == len(drawn.calls) == min(size, len(calls))
    assert Counter(it.stratum for it in drawn.calls) == {name: it.drawn for name, it in drawn.strata.items() if it.drawn}
    assert all(it.drawn <= it.size for it in drawn.strata.values())
    assert sum(it.size for it in drawn.strata.values()) == len(calls)


def test_the_part_for_a_second_person_is_a_part_of_the_draw() -> None:
    drawn = draw(candidates(30, 20, 500), 60, seed=7)
    calls = [it.call for it in drawn.calls]
    part = part_for_two(calls, 7, 0.2)

    assert len(part) == 12
    assert part == part_for_two(reversed(calls), 7, 0.2) < set(calls)


def test_how_many_calls_are_needed_is_in_the_textbook() -> None:
    assert calls_for(0.05, 0.1) == 139  # 138.3; 138 where rounded
    assert calls_for(0.05, 0.5) == 385
    assert calls_for(0.05, 0.1, calls=200) == 83
    with pytest.raises(ValueError, match="a share between 0 and 1"):
        calls_for(5.0)


# What is true of 10,000 calls, by stratum: (calls, share of wrong verdicts, calls drawn). Made up.
POPULATIONS = {
    "an ordinary card": [(500, 0.05, 40), (1500, 0.2, 40), (8000, 0.03, 70)],
    "errors are rare": [(200, 0.1, 30), (800, 0.05, 30), (9000, 0.005, 90)],
    "few calls": [(50, 0.1, 10), (150, 0.1, 10), (800, 0.05, 30)],
    "two strata": [(3000, 0.02, 75), (7000, 0.01, 75)],
    "many strata": [(200, 0.015 * n, 6) for n in range(20)],
    "often wrong": [(1000, 0.4, 60), (3000, 0.2, 60)],
}


@pytest.mark.parametrize("name", POPULATIONS)
def test_the_share_of_wrong_verdicts_is_unbiased_and_its_interval_holds(name: str) -> None:
    """500 draws each. Measured: 97.2, 98.8, 96.2, 97.2, 96.6 and 95.8 % of intervals hold the truth, in the order above."""
    strata = [_calls(size, wrong) for size, wrong, _ in POPULATIONS[name]]
    truth = sum(map(float, map(np.sum, strata))) / sum(map(len, strata))
    draws = np.random.default_rng(5)
    found = [
        share_of_all([_scored(calls, number, draws) for calls, (*_, number) in zip(strata, POPULATIONS[name], strict=True)])
        for _ in range(500)
    ]
    values = np.array([it.value for it in found])
    held = np.mean([it.low <= truth <= it.high for it in found])

    assert abs(values.mean() - truth) < 4 * values.std() / 500**0.5
    assert held >= 0.93


def test_the_mean_error_of_the_score_is_unbiased_and_its_interval_holds() -> None:
    """500 draws. Measured: 95.0 % of intervals hold the truth."""
    made = np.random.default_rng(2)
    strata = [made.exponential(mean, size) for mean, size in ((20.0, 800), (5.0, 3000), (1.0, 6200))]
    truth = sum(float(it.sum()) for it in strata) / 10_000
    draws = np.random.default_rng(5)
    found = [mean_of_all([_scored(it, 50, draws) for it in strata], (0.0, 100.0)) for _ in range(500)]
    values = np.array([it.value for it in found])

    assert abs(values.mean() - truth) < 4 * values.std() / 500**0.5
    assert np.mean([it.low <= truth <= it.high for it in found]) >= 0.92


def test_the_whole_way_from_the_draw_to_the_estimate_is_unbiased() -> None:
    """Verdicts drawn by ``draw`` itself, with a seed for each draw: 4 % of passes are wrong, 30 % of fails.

    300 draws of 120 from 2,000. Measured: 95.7 % of intervals hold the truth, and are ± 4.4 points wide.
    """
    calls = candidates(200, 100, 1700)
    wrong = {it.call: n % 10 < 3 if n < 200 else n % 25 == 0 for n, it in enumerate(calls)}
    truth = sum(wrong.values()) / len(calls)
    found = [share_of_all(_found(draw(calls, 120, seed), wrong)) for seed in range(300)]
    values = np.array([it.value for it in found])

    assert abs(values.mean() - truth) < 4 * values.std() / 300**0.5
    assert np.mean([it.low <= truth <= it.high for it in found]) >= 0.93


def test_nothing_wrong_among_few_does_not_mean_nothing_wrong() -> None:
    spotless = share_of_all([Scored(1, 10_000, [0.0] * 60)])

    assert spotless.value == 0.0
    assert 0.03 < spotless.high < 0.08
    assert mean_of_all([Scored(1, 10_000, [0.0] * 60)], (0.0, 100.0)).high == pytest.approx(5.0)


def test_calls_that_were_all_scored_leave_no_doubt() -> None:
    known = share_of_all([Scored(1, 4, [1.0, 0.0, 0.0, 0.0])])

    assert (known.value, known.low, known.high) == (0.25, 0.25, 0.25)
    assert mean_of_all([Scored(1, 2, [0.0, 0.0])], (0.0, 100.0)).high == 0.0


def test_a_stratum_that_nobody_scored_may_be_anything() -> None:
    found = share_of_all([Scored(1, 900, [0.0] * 30 + [1.0] * 3), Scored(1, 100, [])])
    seen = share_of_all([Scored(1, 900, [0.0] * 30 + [1.0] * 3)])

    assert found.unseen == pytest.approx(0.1)
    assert found.low == pytest.approx(seen.low * 0.9)
    assert found.high == pytest.approx(seen.high * 0.9 + 0.1)


def test_several_draws_count_by_how_much_of_them_was_scored() -> None:
    found = share_of_all([Scored(1, 1000, [1.0] * 10), Scored(2, 1000, [0.0] * 30)])

    assert found.value == pytest.approx(0.25)
    assert found.scored == 40


def test_nothing_scored_is_nothing_known() -> None:
    nothing = share_of_all([Scored(1, 50, [])])

    assert (nothing.value, nothing.low, nothing.high) == (None, 0.0, 1.0)
    assert share_of_all([]).value is None
    assert mean_of_all([], (0.0, 100.0)).value is None
    assert calls_for_half_width(nothing, 0.01) is None


def test_a_first_draw_tells_how_many_calls_the_next_needs() -> None:
    known = share_of_all([Scored(1, 10_000, [1.0] * 10 + [0.0] * 90)])

    assert calls_for_half_width(known, (known.high - known.low) / 4) == pytest.approx(400, abs=1)


def _calls(size: int, wrong: float) -> np.ndarray:
    return np.arange(size) < round(size * wrong)


def _scored(calls: np.ndarray, number: int, draws: np.random.Generator) -> Scored:
    return Scored(1, len(calls), draws.choice(calls, number, replace=False).astype(float).tolist())


def _found(drawn: Draw, wrong: dict[str, bool]) -> Sequence[Scored]:
    return [
        Scored(1, stratum.size, [float(wrong[it.call]) for it in drawn.calls if it.stratum == name])
        for name, stratum in drawn.strata.items()
    ]
