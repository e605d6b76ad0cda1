"""Shares of what comes in groups."""

from __future__ import annotations

import pytest

from engine.assist.learning.shares import change, share


def test_where_nothing_was_seen_the_interval_still_has_a_width() -> None:
    found = share([False] * 300, list(range(300)))

    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(0.0122, abs=0.0001)  # Clopper and Pearson: 1 - 0.025 ** (1 / 300)


def test_ten_phrases_of_each_caller_are_worth_as_much_as_one() -> None:
    one = share([False] * 30, list(range(30)))
    ten = share([False] * 300, [place % 30 for place in range(300)])

    assert ten == one


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one phrase"):
        share([], [])


def test_what_gets_better_everywhere_is_surely_better() -> None:
    moved = change([False] * 40, [True] * 40, list(range(40)))

    assert (moved.value, moved.low, moved.high) == (1.0, 1.0, 1.0)


def test_what_one_caller_alone_brings_is_no_proof() -> None:
    after = [place < 10 for place in range(40)]
    moved = change([False] * 40, after, [0] * 10 + list(range(1, 31)))

    assert moved.value == 0.25
    assert moved.low == 0.0


def test_the_same_interval_comes_out_each_time() -> None:
    before, after, group = [True, False] * 20, [False, False, True, True] * 10, list(range(40))

    assert change(before, after, group) == change(before, after, group)
