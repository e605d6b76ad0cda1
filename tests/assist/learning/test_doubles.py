"""Near-doubles stay together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.assist.learning.doubles import folds, groups
from tests.nlu.doubles import HashingEncoder

ENCODER = HashingEncoder()


def test_the_same_words_and_nearly_the_same_are_one_group() -> None:
    group = groups(["i lost my card", "what is my balance", "i lost my card", "i lost my card please"], ENCODER)

    assert group[0] == group[2] == group[3]
    assert group[1] != group[0]


def test_different_words_of_one_call_are_one_group() -> None:
    group = groups(["lost card", "opening hours", "send money"], ENCODER, ["a", "b", "a"])

    assert group[0] == group[2] != group[1]


def test_no_words_make_no_groups() -> None:
    assert groups([], ENCODER) == ()


@given(st.lists(st.integers(0, 12), max_size=60), st.integers(2, 6))
def test_a_group_lies_in_one_fold_and_no_fold_is_overfull(group: list[int], most: int) -> None:
    fold = folds(group, most)
    held = [fold.count(one) for one in range(most)]
    largest = max((group.count(one) for one in group), default=0)

    assert len({(one, place) for one, place in zip(group, fold, strict=True)}) == len(set(group))
    assert max(held) - min(held) <= max(largest, 0)
