"""Agreement: against published examples, scikit-learn, and samples drawn from a population that is known."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from engine.core.units import Confidence
from engine.qa.agreement import AXIS, Pair, ac1, agreement_of, coverage, f1, kappa, left_open, precision, recall, same, table_of
from engine.qa.checks import Verdict

PASS, FAIL, NA, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.NA, Verdict.UNKNOWN


def pairs_of(counts: dict[tuple[Verdict, Verdict], int], **more: object) -> list[Pair]:
    """So many calls of each kind."""
    kinds = [kind for kind, often in counts.items() for _ in range(often)]
    return [Pair(f"call {n}", engine, person, **more) for n, (engine, person) in enumerate(kinds)]  # type: ignore[arg-type]


# Two abstractors, 100 cases: the data set cont3x3abstractors of irrCAC 1.0, K. L. Gwet's own package to his Handbook of
# Inter-Rater Reliability, 4th edition 2014; its vignette prints kappa 0.7964094 (0.680 to 0.913) and AC1 0.8493305.
ABSTRACTORS = {(PASS, PASS): 13, (FAIL, FAIL): 20, (FAIL, NA): 7, (NA, FAIL): 4, (NA, NA): 56}
# Feinstein and Cicchetti 1990, "High agreement but low kappa: I", J Clin Epidemiol 43:543: both agree on 85 of 100.
BALANCED = {(PASS, PASS): 40, (PASS, FAIL): 9, (FAIL, PASS): 6, (FAIL, FAIL): 45}
LOPSIDED = {(PASS, PASS): 80, (PASS, FAIL): 10, (FAIL, PASS): 5, (FAIL, FAIL): 5}


def test_kappa_and_ac1_are_those_of_their_author_on_his_own_example() -> None:
    table = table_of(ABSTRACTORS)

    assert kappa(table) == pytest.approx(0.7964094, abs=5e-8)
    assert ac1(table) == pytest.approx(0.8493305, abs=5e-8)
    assert same(table) == pytest.approx(0.89)


def test_the_intervals_come_close_to_the_ones_he_derives_by_formula() -> None:
    """And lie a little lower: two of a hundred calls, one of them wrong, are added for what may have been missed."""
    found = agreement_of(pairs_of(ABSTRACTORS), seed=1).figures

    assert (found["kappa"].low, found["kappa"].high) == pytest.approx((0.680, 0.913), abs=0.03)
    assert (found["ac1"].low, found["ac1"].high) == pytest.approx((0.764, 0.935), abs=0.03)


def test_kappa_falls_where_nearly_all_calls_pass_and_ac1_does_not() -> None:
    balanced, lopsided = table_of(BALANCED), table_of(LOPSIDED)

    assert same(balanced) == pytest.approx(same(lopsided))
    assert (round(float(kappa(balanced)), 2), round(float(kappa(lopsided)), 2)) == (0.70, 0.32)
    assert (round(float(ac1(balanced)), 2), round(float(ac1(lopsided)), 2)) == (0.70, 0.81)


@given(st.lists(st.tuples(st.sampled_from(AXIS[:3]), st.sampled_from(AXIS[:3])), min_size=2, max_size=60))
def test_kappa_is_scikit_learns(said: list[tuple[Verdict, Verdict]]) -> None:
    if len({it for both in said for it in both}) < 2:
        return
    table = table_of({kind: said.count(kind) for kind in set(said)})

    assert kappa(table) == pytest.approx(cohen_kappa_score(*map(list, zip(*said, strict=True))))


def test_calls_that_either_left_unknown_count_for_coverage_only() -> None:
    counts = {(PASS, PASS): 6, (FAIL, FAIL): 3, (PASS, FAIL): 1, (UNKNOWN, FAIL): 4, (UNKNOWN, PASS): 5, (PASS, UNKNOWN): 1}
    table = table_of(counts)

    assert precision(table) == pytest.approx(1.0)
    assert recall(table) == pytest.approx(3 / 4)
    assert f1(table) == pytest.approx(6 / 7)
    assert coverage(table) == pytest.approx(11 / 20)
    assert left_open(table) == pytest.approx(4 / 8)
    assert same(table) == pytest.approx(0.9)


def test_what_has_no_meaning_is_not_told() -> None:
    found = agreement_of(pairs_of({(PASS, PASS): 5}))

    assert found.figures["recall"].value is None
    assert found.figures["kappa"].value is None
    assert found.figures["ac1"].value == pytest.approx(1.0)
    assert agreement_of([]).figures["coverage"].value is None


def test_figures_are_of_all_calls_not_of_those_that_were_drawn_more_often() -> None:
    """Of 1,000 calls 100 fail; the engine finds 50 of these. All its 50 fails are drawn, and one in ten of the rest."""
    found = agreement_of(
        [
            *pairs_of({(FAIL, FAIL): 50}, stratum="fail"),
            *[Pair(f"p{n}", PASS, FAIL if n < 5 else PASS, weight=10.0, stratum="pass") for n in range(95)],
        ]
    )

    assert found.figures["recall"].value == pytest.approx(0.5)
    assert (found.calls, found.violations) == (145, 55)
    assert found.counts[0] == (90, 5, 0, 0)


def test_the_same_pairs_in_any_order_have_the_same_intervals() -> None:
    pairs = pairs_of(BALANCED)
    mixed = random.Random(3).sample(pairs, len(pairs))

    assert agreement_of(pairs, seed=5) == agreement_of(mixed, seed=5)
    assert agreement_of(pairs, seed=5).figures != agreement_of(pairs, seed=6).figures


@pytest.mark.parametrize(("calls", "least", "most"), [(10, 0.5, 0.7), (300, 0.97, 0.99)])
def test_a_spotless_sample_does_not_prove_a_spotless_engine(calls: int, least: float, most: float) -> None:
    """Half of them fail. The interval of recall is that of Jeffreys for 5 of 5, or 150 of 150: from 0.62, or 0.983."""
    half = calls // 2
    found = agreement_of(pairs_of({(PASS, PASS): half, (FAIL, FAIL): half})).figures

    for name in ("recall", "precision"):
        assert least < (found[name].low or 0.0) < most, name
        assert found[name].high == 1.0
    assert least < (found["coverage"].low or 0.0) < 1.0
    assert 2 * least - 1 < (found["kappa"].low or 0.0) < most


def test_two_people_on_one_call_are_drawn_together_and_count_as_one_call() -> None:
    once = [Pair(f"c{n}", PASS, FAIL if n < 4 else PASS) for n in range(20)]
    twice = [Pair(it.call, it.engine, it.person, weight=0.5) for it in once for _ in range(2)]

    assert agreement_of(twice).figures["same"] == agreement_of(once).figures["same"]
    assert (agreement_of(twice).calls, agreement_of(twice).violations) == (20, 4)


def test_the_curve_tells_what_would_be_wrong_if_only_sure_verdicts_were_given() -> None:
    sure = [(0.9, PASS), (0.9, PASS), (0.8, PASS), (0.8, FAIL), (None, FAIL)]
    pairs = [Pair(f"c{n}", PASS, person, None if it is None else Confidence(it)) for n, (it, person) in enumerate(sure)]
    curve = agreement_of([*pairs, Pair("open", UNKNOWN, PASS)]).curve

    assert [(it.least, round(it.coverage, 3), round(it.wrong, 3)) for it in curve] == [
        (0.9, 0.333, 0.0),
        (0.8, 0.667, 0.25),
        (None, 0.833, 0.4),
    ]


def test_the_intervals_of_kappa_ac1_and_recall_hold_what_they_promise() -> None:
    """150 samples of 200 from a known population. Measured: 91.3 % (kappa), 97.3 % (AC1), 94.0 % (recall) of intervals hold the truth."""
    shares = {(PASS, PASS): 0.7, (PASS, FAIL): 0.05, (FAIL, PASS): 0.05, (FAIL, FAIL): 0.2}
    truth = table_of(shares)
    right = {"kappa": float(kappa(truth)), "ac1": float(ac1(truth)), "recall": float(recall(truth))}
    draws = np.random.default_rng(11)
    held = dict.fromkeys(right, 0)
    for _ in range(150):
        counts = dict(zip(shares, map(int, draws.multinomial(200, list(shares.values()))), strict=True))
        found = agreement_of(pairs_of(counts), resamples=300).figures
        for name, it in right.items():
            held[name] += (found[name].low or 0.0) <= it <= (found[name].high or 0.0)

    assert {name: number / 150 >= 0.88 for name, number in held.items()} == dict.fromkeys(right, True), held


def _every_kind() -> Sequence[tuple[Verdict, Verdict]]:
    return list(product(AXIS, AXIS))


@given(st.dictionaries(st.sampled_from(_every_kind()), st.integers(1, 9), max_size=16))
def test_every_figure_is_a_share_or_unknown_and_lies_in_its_interval(counts: dict[tuple[Verdict, Verdict], int]) -> None:
    found = agreement_of(pairs_of(counts), resamples=20)

    for name, it in found.figures.items():
        if it.value is not None:
            assert -1.0 - 1e-9 <= it.value <= 1.0 + 1e-9, name
            assert it.low is None or (it.low <= it.value <= (it.high or 0.0)), name
            assert not math.isnan(it.value)
