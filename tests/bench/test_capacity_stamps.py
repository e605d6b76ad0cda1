"""Stamps are found wherever they lie, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.capacity_stamps import found, hum, stamped
from engine.audio.g711 import Law, decode, encode
from engine.core.audio import AudioFrame
from engine.tts.level import prepared


def codes(frames: int) -> np.ndarray:
    return encode(hum(frames), Law.ULAW)


def carrier(frames: int) -> np.ndarray:
    return np.frombuffer(codes(frames), np.uint8).reshape(-1, 160)


@settings(max_examples=30)
@given(cut=st.integers(0, 700), mark=st.integers(0, 255), first=st.integers(0, 65_000))
def test_stamps_are_found_at_any_offset(cut: int, mark: int, first: int) -> None:
    stamps = found(stamped(carrier(8), mark, first).reshape(-1)[cut:])

    skipped = -(-cut // 160)
    assert stamps.numbers.tolist() == list(range(first + skipped, first + 8))
    assert set(stamps.marks.tolist()) == {mark}
    assert stamps.places.tolist() == [160 * at - cut for at in range(skipped, 8)]


def test_there_are_none_in_unstamped_sound() -> None:
    assert len(found(carrier(2000).reshape(-1)).numbers) == 0


@pytest.mark.parametrize("quietest", [0.0, 12.0])
def test_stamps_survive_silence_and_linear_samples(quietest: float) -> None:
    quiet = np.frombuffer(encode(hum(50, quietest), Law.ULAW), np.uint8).reshape(-1, 160)
    linear = decode(stamped(quiet, 3).tobytes(), Law.ULAW)

    assert found(np.frombuffer(encode(linear, Law.ULAW), np.uint8)).numbers.tolist() == list(range(50))


def test_stamps_survive_what_the_engine_does_to_a_recorded_prompt() -> None:
    prompt = decode(stamped(carrier(100), 1).tobytes(), Law.ULAW)
    ready = prepared(AudioFrame(prompt)).samples

    assert found(np.frombuffer(encode(ready, Law.ULAW), np.uint8)).numbers.tolist() == list(range(100))


def test_a_lost_frame_is_missing_and_a_broken_one_is_not_believed() -> None:
    frames = stamped(carrier(10), 9)
    frames[4, 40] ^= 1
    stamps = found(np.delete(frames, 7, axis=0).reshape(-1))

    assert stamps.numbers.tolist() == [0, 1, 2, 3, 5, 6, 8, 9]
