"""Utterances put together into one window, and their words given back."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asr.backends._whisper.decoding import Decoded, Piece
from engine.asr.backends._whisper.packs import GAP, packed
from engine.asr.backends.whisper import Context, WhisperRecogniser
from engine.asr.protocol import Hints
from engine.core.audio import WIDEBAND, AudioFrame
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


def test_a_short_sound_fills_the_room_that_a_long_one_left() -> None:
    packs = packed([sound(7), sound(8), sound(2)], LONGEST)

    assert [list(pack.parts) for pack in packs] == [[0, 2], [1]]


class Forgetful:
    """A decoder that leaves out whatever lies last in a window of several: it says the loudness of each of the others."""

    def __init__(self, *, forgets: bool = True) -> None:
        self.windows: list[int] = []
        self._forgets = forgets

    def decode_all(self, sounds: Sequence[np.ndarray], *_: object) -> list[Decoded | None]:
        return [self._decoded(sound) for sound in sounds]

    def decode(self, sound: np.ndarray, *_: object) -> Decoded | None:
        return self._decoded(sound)

    def _decoded(self, sound: np.ndarray) -> Decoded | None:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], sound > 0, [False]]).astype(int)))
        spans = list(zip(edges[::2], edges[1::2], strict=True))
        self.windows.append(len(spans))
        kept = spans[:-1] if self._forgets and len(spans) > 1 else spans
        pieces = tuple(word(f"{sound[first]:.1f}", first / 16_000 + 0.1, last / 16_000 - 0.1) for first, last in kept)
        return Decoded(pieces, (), -0.1, 1 + len(pieces), 0.0, 0.5) if pieces else None


def test_an_utterance_that_was_left_out_of_its_window_is_read_once_more() -> None:
    recogniser = WhisperRecogniser(SimpleNamespace(supported_languages=["en"]), Context.PACKED_FULL, None)  # type: ignore[arg-type]
    decoder = recogniser._decoder = Forgetful()  # type: ignore[assignment]
    sounds = [AudioFrame(np.full(16_000, round(loud * 32_768), np.int16), WIDEBAND) for loud in (0.1, 0.2, 0.3)]
    heard = recogniser.recognise(sounds, [Hints()] * 3)

    assert [said.text for said in heard] == ["0.1", "0.2", "0.3"]
    assert decoder.windows == [3, 1]


def test_no_window_holds_sound_of_two_calls() -> None:
    recogniser = WhisperRecogniser(SimpleNamespace(supported_languages=["en"]), Context.PACKED_FULL, None)  # type: ignore[arg-type]
    decoder = recogniser._decoder = Forgetful()  # type: ignore[assignment]
    sounds = [AudioFrame(np.full(16_000, round(loud * 32_768), np.int16), WIDEBAND) for loud in (0.1, 0.2, 0.3)]
    heard = recogniser.recognise_apart(sounds, [Hints()] * 3, [7, 8, 7])

    assert [said.text for said in heard] == ["0.1", "0.2", "0.3"]
    assert decoder.windows == [2, 1, 1]


@pytest.mark.parametrize(("context", "windows"), [(Context.PACKED, [2, 1]), (Context.PACKED_FULL, [3])])
def test_what_is_read_greedily_lies_in_shorter_windows(context: Context, windows: list[int]) -> None:
    recogniser = WhisperRecogniser(SimpleNamespace(supported_languages=["en"]), context, None)  # type: ignore[arg-type]
    decoder = recogniser._decoder = Forgetful(forgets=False)  # type: ignore[assignment]
    recogniser.recognise([AudioFrame(np.full(8 * 16_000, 9_000, np.int16), WIDEBAND)] * 3, [Hints()] * 3)

    assert decoder.windows == windows


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
    assert round(parted[1][1].start, 3) == round(0.8 - GAP, 3)


def test_a_first_word_whose_start_reaches_back_over_the_silence_is_not_the_sounds_before() -> None:
    (pack,) = packed([sound(2), sound(2)], LONGEST)
    parted = dict(pack.parted([word("bye", 1.2, 1.5), word("you", 1.5, 2.6), word("have", 2.6)]))

    assert [piece.text for piece in parted[0]] == ["bye"]
    assert [piece.text for piece in parted[1]] == ["you", "have"]


@given(st.lists(st.floats(0.1, 9.9), max_size=20))
def test_every_sound_is_in_exactly_one_pack_and_no_pack_is_too_long(lengths: list[float]) -> None:
    packs = packed([sound(length) for length in lengths], LONGEST)

    assert sorted(part for pack in packs for part in pack.parts) == list(range(len(lengths)))
    assert all(list(pack.parts) == sorted(pack.parts) for pack in packs)
    assert all(pack.duration <= LONGEST for pack in packs)
