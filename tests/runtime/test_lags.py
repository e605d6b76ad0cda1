"""How late the loop was: quantiles of what was noted, without putting it in order."""

from __future__ import annotations

import pytest

from engine.core.units import Seconds
from engine.runtime.lags import Lags


def _noted(late_ms: list[float], kept: int = 1000) -> Lags:
    lags = Lags(kept)
    for one in late_ms:
        lags.note(Seconds(one / 1000))
    return lags


def test_before_the_first_measurement_nothing_is_late() -> None:
    assert Lags().quantile(1.0) == 0.0


def test_the_worst_is_the_largest_and_the_middle_lies_in_the_middle() -> None:
    lags = _noted([float(late) for late in range(100, 0, -1)])

    assert lags.quantile(1.0) == pytest.approx(0.100)
    assert lags.quantile(0.5) == pytest.approx(0.051)
    assert lags.quantile(0.99) == pytest.approx(0.100)


def test_a_lag_between_two_tenths_of_a_millisecond_counts_as_the_larger() -> None:
    assert _noted([20.01]).quantile(1.0) == pytest.approx(0.0201)


def test_what_is_older_than_what_is_kept_no_longer_counts() -> None:
    lags = _noted([30.0, 1.0, 2.0, 3.0], kept=3)

    assert lags.quantile(1.0) == pytest.approx(0.003)
