"""Masked times tell nothing of what they hide, and hide all of it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.speech import Transcript, Word
from engine.core.units import Seconds
from engine.privacy import MASK
from engine.privacy.masked_time import APART, KEYS, STEP, MaskedTime, Stretch, masked_times, told_outside

times = st.integers(0, 600_000).map(lambda milliseconds: Seconds(milliseconds / 1000))


@st.composite
def found(draw: st.DrawFn) -> MaskedTime:
    start, length = draw(times), draw(st.integers(1, 30_000)) / 1000
    return MaskedTime(start, Seconds(start + length), (draw(st.sampled_from([KEYS, "pin", "card_number"])),))


founds = st.lists(found(), max_size=8)


def lies(word: Word) -> tuple[str, float, float]:
    return word.text, word.start, word.end


def at(start: float, end: float, *kinds: str) -> MaskedTime:
    return MaskedTime(Seconds(start), Seconds(end), kinds or (KEYS,))


@given(founds, times)
def test_masks_cover_all_that_was_found_and_name_it(what: list[MaskedTime], duration: Seconds) -> None:
    masks = masked_times(what, duration)

    assert all(
        any(it.start <= one.start and one.end <= it.end and set(one.kinds) <= set(it.kinds) for it in masks) for one in what
    )


@given(founds)
def test_masks_last_whole_steps_and_lie_apart(what: list[MaskedTime]) -> None:
    masks = masked_times(what, Seconds(700.0))

    assert all((it.end - it.start) / STEP == pytest.approx(round((it.end - it.start) / STEP)) for it in masks)
    assert all(before.end + APART <= after.start for before, after in pairwise(masks))


@given(founds, times)
def test_masking_times_again_changes_nothing(what: list[MaskedTime], duration: Seconds) -> None:
    masks = masked_times(what, duration)

    assert masked_times(masks, duration) == masks


def test_four_keys_and_six_leave_the_same_mask() -> None:
    four, six = (
        [at(10 + 0.3 * key, 10.1 + 0.3 * key) for key in range(4)],
        [at(10 + 0.5 * key, 10.1 + 0.5 * key) for key in range(6)],
    )

    assert masked_times(four, Seconds(60.0)) == masked_times(six, Seconds(60.0)) == (at(10, 14),)


def test_a_mask_at_the_end_of_the_call_grows_backwards() -> None:
    assert masked_times([at(58.5, 59)], Seconds(60.0)) == (at(56, 60),)


def test_a_call_shorter_than_a_step_is_masked_whole() -> None:
    assert masked_times([at(1, 2)], Seconds(3.0)) == (at(0, 3),)


def words(*texts: str, start: float = 0.0) -> tuple[Word, ...]:
    return tuple(Word(text, Seconds(start + place), Seconds(start + place + 0.5)) for place, text in enumerate(texts))


def stretch(start: float, end: float, *texts: str) -> Stretch:
    return Stretch(Seconds(start), Seconds(end), Transcript(words(*texts, start=start), alternatives=("another",)))


def test_the_turn_of_the_secret_has_the_mask_in_full() -> None:
    mask = at(9.75, 13.75)
    told = told_outside(stretch(9, 12, "card", "four", "one"), [mask], [mask])

    assert told is not None
    assert [lies(word) for word in told.said.words] == [("card", 9.0, 9.5), (MASK, 9.75, 13.75)]
    assert told.said.alternatives == ()
    assert [float(told.start), float(told.end)] == [9.0, 13.75]


def test_another_turn_begins_behind_the_mask_or_ends_before_it() -> None:
    mask = at(10, 14)
    after, before = (
        told_outside(stretch(13, 17, "a", "b", "c"), [mask], []),
        told_outside(stretch(8, 12, "a", "b", "c"), [mask], []),
    )

    assert after is not None
    assert before is not None
    assert [lies(word) for word in after.said.words] == [(MASK, 14.0, 14.0), ("b", 14.0, 14.5), ("c", 15.0, 15.5)]
    assert [float(after.start), float(after.end)] == [14.0, 17.0]
    assert [lies(word) for word in before.said.words] == [("a", 8.0, 8.5), ("b", 9.0, 9.5), (MASK, 10.0, 10.0)]
    assert [float(before.start), float(before.end)] == [8.0, 10.0]


def test_a_turn_inside_a_mask_that_is_not_its_own_is_not_told() -> None:
    assert told_outside(stretch(11, 12, "okay"), [at(10, 14)], []) is None


def test_a_turn_that_meets_no_mask_stays_as_it_is() -> None:
    far = stretch(20, 21, "hello")

    assert told_outside(far, [at(10, 14)], []) == far


@given(st.floats(0, 60), st.floats(0.01, 20), st.lists(st.floats(0, 3), max_size=12), founds, st.booleans())
def test_no_word_and_no_edge_lies_inside_a_mask(
    start: float, pause: float, gaps: list[float], what: list[MaskedTime], owns: bool
) -> None:
    now, said = start, []
    for gap in gaps:
        said.append(Word("word", Seconds(now), Seconds(now + pause / 20)))
        now += pause / 20 + gap
    masks = masked_times(what, Seconds(600.0))
    told = told_outside(Stretch(Seconds(start), Seconds(now), Transcript(tuple(said))), masks, masks if owns else [])
    left = told.said.words if told else ()

    assert not any(it.start < edge < it.end for word in left for edge in (word.start, word.end) for it in masks)
    assert not any(it.holds(word) for word in left if word.text != MASK for it in masks)
    assert told is None or not any(it.start < edge < it.end for edge in (told.start, told.end) for it in masks)
