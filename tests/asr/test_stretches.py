"""Where a voice is, from its probability step by step."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asr.stretches import Cutting, stretches
from engine.core.units import Seconds

STEP = Seconds(0.1)
USUAL = Cutting()


def voice(*runs: tuple[float, float], length: float = 10.0, height: float = 0.9) -> np.ndarray:
    """A probability of ``height`` in these seconds, else 0."""
    found = np.zeros(round(length / STEP), np.float32)
    for start, end in runs:
        found[round(start / STEP) : round(end / STEP)] = height
    return found


def spans(found: np.ndarray, cutting: Cutting = USUAL) -> list[tuple[float, float]]:
    return [(round(it.start, 3), round(it.end, 3)) for it in stretches(found, STEP, cutting)]


def test_a_short_silence_does_not_end_a_stretch_and_a_long_one_does() -> None:
    assert spans(voice((1, 2), (2.3, 3), (4, 5))) == [(1, 3), (4, 5)]


def test_a_voice_lasts_while_it_is_not_unlikely_but_never_begins_so() -> None:
    doubtful = voice((1, 2)) + voice((2, 3), (6, 7), height=0.3)

    assert spans(doubtful) == [(1, 3)]


def test_a_click_is_no_voice() -> None:
    assert spans(voice((1, 1.1)), Cutting(shortest=Seconds(0.15))) == []


def test_who_talks_on_is_cut_where_the_voice_is_least_likely() -> None:
    found = voice((0, 10))
    found[70] = 0.5

    assert spans(found, Cutting(longest=Seconds(8.0))) == [(0, 7), (7, 10)]


@given(st.lists(st.floats(0, 1, width=32), max_size=300), st.integers(2, 50))
def test_stretches_are_in_order_no_longer_than_allowed_and_lose_no_sure_voice(found: list[float], longest: int) -> None:
    cutting = Cutting(shortest=Seconds(0.0), longest=Seconds(longest * STEP))
    cut = stretches(np.array(found, np.float32), STEP, cutting)

    assert all(one.end <= other.start + 1e-9 for one, other in pairwise(cut))
    assert all(it.duration <= longest * STEP + 1e-9 for it in cut)
    covered = {step for it in cut for step in range(round(it.start / STEP), round(it.end / STEP))}
    assert {step for step, likely in enumerate(found) if likely >= cutting.voice} <= covered


def test_no_sound_has_no_stretches() -> None:
    assert stretches(np.zeros(0, np.float32), STEP) == []


@pytest.mark.parametrize("length", [1, 5])
def test_a_voice_to_the_very_end_ends_there(length: int) -> None:
    assert spans(voice((0, length), length=length)) == [(0, length)]
