"""Utterances put together into one window, and their words given back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.asr.backends._whisper.decoding import Piece
from engine.asr.backends._whisper.packs import GAP, packed
from engine.core.audio import WIDEBAND
from engine.core.units import Seconds

LONGEST = Seconds(10.0)


def sound(seconds: float) -> np.ndarray:
    return np.full(WIDEBAND.samples(Seconds(seconds)), 0.5, np.float32)


def word(text: str, start: float, end: float | None = None) -> Piece:
    return Piece(text, Seconds(start), Seconds(end or start + 0.2), -0.1)


def test_sounds_go_together_as_long_as_they_fit() -> None:
    packs = packed([sound(4), sound(4), sound(4)], LONGEST)

    assert [list(pack.parts) for pack in packs] == [[0, 1], [2]]
    assert packs[0].starts == (0.0, 4.0 + GAP)
    assert packs[0].duration == 8.0 + GAP


def test_between_two_sounds_there_is_silence() -> None:
    (pack,) = packed([sound(1), sound(1)], LONGEST)

    gap = pack.sound[WIDEBAND.samples(Seconds(1.0)) : WIDEBAND.samples(Seconds(1.0 + GAP))]
    assert not gap.any()


def test_each_word_goes_to_the_sound_it_lies_in_and_is_timed_from_its_beginning() -> None:
    (pack,) = packed([sound(2), sound(2), sound(2)], LONGEST)
    parted = dict(pack.parted([word("one", 0.5), word("two", 2.2), word("three", 2.8), word("four", 6.0)]))

    assert {part: [piece.text for piece in pieces] for part, pieces in parted.items()} == {
        0: ["one"],
        1: ["two", "three"],
        2: ["four"],
    }
    assert parted[1][0].start == 0.0
    assert round(parted[1][1].start, 3) == 0.5


def test_a_first_word_whose_start_reaches_back_over_the_silence_is_not_the_sounds_before() -> None:
    (pack,) = packed([sound(2), sound(2)], LONGEST)
    parted = dict(pack.parted([word("bye", 1.2, 1.5), word("you", 1.5, 2.6), word("have", 2.6)]))

    assert [piece.text for piece in parted[0]] == ["bye"]
    assert [piece.text for piece in parted[1]] == ["you", "have"]


@given(st.lists(st.floats(0.1, 9.9), max_size=20))
def test_every_sound_is_in_exactly_one_pack_and_no_pack_is_too_long(lengths: list[float]) -> None:
    packs = packed([sound(length) for length in lengths], LONGEST)

    assert [part for pack in packs for part in pack.parts] == list(range(len(lengths)))
    assert all(pack.duration <= LONGEST for pack in packs)
