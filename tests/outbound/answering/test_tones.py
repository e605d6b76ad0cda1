"""Tones made exactly, at levels and in noise; music and voices are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from engine.audio.files import read
from engine.audio.g711 import Law, decode, encode
from engine.core.audio import AudioFrame, frames_of
from engine.outbound.answering.tones import Signal, Signals

RATE = 8000
Floats = npt.NDArray[np.float64]


def tone(length: float, *hz: float, level_db: float = -20.0) -> Floats:
    moments = np.arange(round(length * RATE)) / RATE
    return sum((np.sin(2 * np.pi * it * moments) for it in hz), np.zeros(len(moments))) * 32768 * 10 ** (level_db / 20)


def quiet(length: float) -> Floats:
    return np.zeros(round(length * RATE))


def told(*parts: Floats, noise_db: float | None = None, voice_before: bool = False) -> Sequence[Signal]:
    sound = np.concatenate([quiet(0.31), *parts, quiet(0.5)])
    if noise_db is not None:
        sound = sound + np.random.default_rng(7).normal(0, 32768 * 10 ** (noise_db / 20), len(sound))
    coded = decode(encode(np.clip(sound, -32768, 32767).astype(np.int16), Law.ULAW), Law.ULAW)
    signals = Signals()
    found = (signals.hear(frame, voice_before=voice_before) for frame in frames_of(AudioFrame(coded)))
    return [it for it in found if it is not None]


@pytest.mark.parametrize("hz", [440.0, 700.0, 1000.0, 1400.0, 1950.0])
@pytest.mark.parametrize("level_db", [-6.0, -20.0, -33.0])
def test_a_beep_is_heard_at_any_pitch_and_level(hz: float, level_db: float) -> None:
    assert told(tone(0.4, hz, level_db=level_db), voice_before=True) == [Signal.BEEP]


def test_a_beep_is_heard_15_db_over_noise() -> None:
    assert told(tone(0.5, 1000.0), noise_db=-38.0, voice_before=True) == [Signal.BEEP]


@pytest.mark.parametrize("length", [0.05, 0.1, 4.0])
def test_what_is_shorter_or_longer_than_beeps_are_is_none(length: float) -> None:
    assert told(tone(length, 1000.0), voice_before=True) == []


def test_two_tones_are_no_beep() -> None:
    assert told(tone(0.4, 770.0, 1336.0), voice_before=True) == []


def test_a_note_that_dies_away_is_no_beep() -> None:
    note = tone(0.6, 880.0)

    assert told(note * np.exp(-np.arange(len(note)) / 1500), voice_before=True) == []


@pytest.mark.parametrize("pitch", [0.97, 1.0, 1.03])
@pytest.mark.parametrize("lengths", [(0.33, 0.33, 0.33), (0.38, 0.274, 0.38)])
def test_three_rising_notes_are_the_networks(pitch: float, lengths: tuple[float, float, float]) -> None:
    notes = [tone(length, hz * pitch) for hz, length in zip((950.0, 1400.0, 1800.0), lengths, strict=True)]

    assert told(*notes) == [Signal.SIT]


def test_falling_notes_are_not_the_networks() -> None:
    assert Signal.SIT not in told(*(tone(0.33, hz) for hz in (1800.0, 1400.0, 950.0)))


def test_a_fax_is_told_while_its_tone_still_sounds() -> None:
    assert told(tone(2.8, 2100.0)) == [Signal.FAX]


def test_a_fax_that_calls_is_told_from_a_beep_by_the_silence_before_it() -> None:
    assert told(tone(0.5, 1100.0)) == [Signal.FAX]
    assert told(tone(0.5, 1100.0), voice_before=True) == [Signal.BEEP]


@pytest.mark.parametrize("hz", [(425.0,), (480.0, 620.0)])
def test_a_busy_tone_is_told_at_its_second_turn(hz: tuple[float, ...]) -> None:
    assert told(tone(0.5, *hz), quiet(0.5)) == []
    assert told(tone(0.5, *hz), quiet(0.5), tone(0.5, *hz)) == [Signal.BUSY]


def test_ringing_is_neither_busy_nor_a_beep() -> None:
    assert set(told(tone(1.0, 425.0), quiet(1.0), tone(1.0, 425.0))) == {Signal.RINGING}


@pytest.mark.testdata
@pytest.mark.parametrize("kind", ["speech", "ivr_prompt", "spoken_digit", "noise"])
def test_no_voice_is_taken_for_a_beep(kind: str, testdata: Path, manifest: Sequence[Mapping[str, Any]]) -> None:
    rows = [row for row in manifest if row["kind"] == kind and row["sample_rate"] == RATE][:40]
    found = {}
    for row in rows:
        signals = Signals()
        frames = frames_of(read(testdata / str(row["path"])).channels[0])
        found[row["path"]] = [it for frame in frames if (it := signals.hear(frame, voice_before=True))]

    assert rows
    assert not {path: it for path, it in found.items() if it}
