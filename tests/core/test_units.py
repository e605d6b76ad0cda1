from __future__ import annotations

import math

import pytest

from engine.core.units import confidence


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 1])
def test_a_probability_is_a_confidence(value: float) -> None:
    assert confidence(value) == value
    assert isinstance(confidence(value), float)


@pytest.mark.parametrize("value", [-0.001, 1.001, math.nan, math.inf, -math.inf])
def test_anything_else_is_none(value: float) -> None:
    with pytest.raises(ValueError, match=r"a confidence is a number from 0 to 1, got"):
        confidence(value)
