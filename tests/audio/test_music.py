"""Hold music, and what must never be taken for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.asr.voice_map import VoiceMap
from engine.audio.files import read
from engine.audio.music import find_music, level_db
from engine.core.audio import TELEPHONY, AudioFrame, silence
from engine.core.units import Seconds

SECOND = TELEPHONY.rate_hz


def chords(seconds: int, seed: int = 1, loudness: float = 3000.0) -> np.ndarray:
    """A new chord of three notes each half second."""
    draw = np.random.default_rng(seed)
    at = np.arange(SECOND // 2) / SECOND
    parts = [sum(np.sin(2 * np.pi * hz * at) for hz in draw.uniform(200, 3000, 3)) for _ in range(2 * seconds)]
    return (loudness * np.concatenate(parts)).astype(np.int16)


def frame(samples: np.ndarray) -> AudioFrame:
    return AudioFrame(samples.astype(np.int16))


def test_notes_that_change_are_music_and_end_where_they_end() -> None:
    quiet = silence(Seconds(5.0)).samples

    assert find_music(frame(np.concatenate([quiet, chords(20), quiet])), []) == [(5.0, 25.0)]


def test_a_tone_of_the_network_is_none() -> None:
    at = np.arange(20 * SECOND) / SECOND

    assert find_music(frame(5000 * (np.sin(2 * np.pi * 440 * at) + np.sin(2 * np.pi * 480 * at))), []) == []


def test_noise_and_silence_are_none() -> None:
    noise = np.random.default_rng(2).normal(0, 1000, 20 * SECOND)

    assert find_music(frame(noise), []) == []
    assert find_music(silence(Seconds(20.0)), []) == []


def test_where_somebody_speaks_there_is_none() -> None:
    assert find_music(frame(chords(20)), [(Seconds(0.0), Seconds(20.0))]) == []


def test_a_few_seconds_are_too_little() -> None:
    assert find_music(frame(chords(3)), []) == []


def test_levels_are_in_db_of_full_scale() -> None:
    at = np.arange(SECOND) / SECOND
    sine = (32767 * np.sin(2 * np.pi * 1000 * at)).astype(np.int16)

    assert level_db(sine) == pytest.approx(-3.01, abs=0.01)
    assert level_db(np.zeros(100, np.int16)) == pytest.approx(-100.0)


@pytest.mark.testdata
@pytest.mark.model
def test_of_real_sounds_only_the_music_is_music(testdata: Path, manifest: Sequence[Mapping[str, Any]]) -> None:
    voice = VoiceMap()
    kinds = {"hold_music", "noise", "tone", "speech", "ivr_prompt", "spoken_intent"}
    found = {}
    for row in (it for it in manifest if it["kind"] in kinds):
        channel = read(testdata / row["path"]).channels[0]
        voices = [(it.start, it.end) for it in voice.stretches(channel)]
        found[row["path"]] = bool(find_music(channel, voices)), row["kind"] == "hold_music"

    assert {path for path, (heard, true) in found.items() if heard is not true} == set()
    assert any(true for _, true in found.values())
