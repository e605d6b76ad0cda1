"""Keys are heard as ITU-T Q.24 asks, and people talking are not taken for keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio import keytones
from engine.audio.files import read
from engine.audio.g711 import Law, decode, encode
from engine.audio.keytones import PAD, KeyTone, KeyToneDetector, make_key_tones
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFormat, AudioFrame, frames_of, silence
from engine.core.errors import ProtocolError
from engine.core.units import SampleIndex, Seconds

SHORT = Seconds(0.04)
EVERY_KEY = PAD


def heard(sound: AudioFrame) -> list[KeyTone]:
    detector = KeyToneDetector(sound.format)
    return [*(tone for frame in frames_of(sound) for tone in detector.feed(frame)), *detector.finish()]


def keys_in(sound: AudioFrame) -> bytes:
    return bytes(tone.code for tone in heard(sound))


def with_noise(sound: AudioFrame, snr_db: float, level_dbfs: float, seed: int) -> AudioFrame:
    power = (32_767 * 10 ** (level_dbfs / 20)) ** 2  # two tones of half its square each
    noise = np.random.default_rng(seed).normal(0, np.sqrt(power / 10 ** (snr_db / 10)), len(sound.samples))
    return AudioFrame(np.clip(np.rint(sound.samples + noise), -32_768, 32_767).astype(np.int16), sound.format)


def off_key(monkeypatch: pytest.MonkeyPatch, low: float, high: float) -> AudioFrame:
    """All keys, with their tones that much off their frequencies (0.01 = 1 % high)."""
    with monkeypatch.context() as patch:
        patch.setattr(keytones, "LOW_HZ", tuple(hz * (1 + low) for hz in keytones.LOW_HZ))
        patch.setattr(keytones, "HIGH_HZ", tuple(hz * (1 + high) for hz in keytones.HIGH_HZ))
        return make_key_tones(EVERY_KEY, SHORT, SHORT)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 48_000])
def test_every_key_is_heard_at_its_time_at_every_rate(rate_hz: int) -> None:
    sound = make_key_tones(EVERY_KEY, Seconds(0.06), SHORT, format=AudioFormat(rate_hz))
    tones = heard(sound)

    assert bytes(tone.code for tone in tones) == EVERY_KEY
    for place, tone in enumerate(tones):
        assert tone.start == pytest.approx(place * 0.1, abs=0.006)
        assert tone.duration == pytest.approx(0.06, abs=0.011)


@pytest.mark.parametrize("length", [0.040, 0.045, 0.07, 0.3])
def test_tones_and_pauses_of_forty_milliseconds_are_enough(length: float) -> None:
    assert keys_in(make_key_tones(b"1199*D", Seconds(length), SHORT)) == b"1199*D"


@pytest.mark.parametrize("length", [0.005, 0.010, 0.015, 0.020])
def test_tones_of_twenty_milliseconds_are_not_keys(length: float) -> None:
    assert keys_in(make_key_tones(EVERY_KEY, Seconds(length), SHORT)) == b""


@pytest.mark.parametrize("gap_ms", [2, 5, 10])
def test_a_drop_out_inside_a_tone_does_not_make_two_keys_of_it(gap_ms: int) -> None:
    samples = make_key_tones(b"5", Seconds(0.2)).samples.copy()
    samples[640 : 640 + 8 * gap_ms] = 0

    assert keys_in(AudioFrame(samples)) == b"5"


@pytest.mark.parametrize("twist_db", [-8, -4, 0, 2, 4])
def test_twist_within_the_limits_is_taken(twist_db: float) -> None:
    assert keys_in(make_key_tones(EVERY_KEY, SHORT, SHORT, -14, twist_db)) == EVERY_KEY


@pytest.mark.parametrize("twist_db", [-14, -11, 7, 10])
def test_twist_far_beyond_the_limits_is_refused(twist_db: float) -> None:
    assert keys_in(make_key_tones(EVERY_KEY, SHORT, SHORT, -16, twist_db)) == b""


@pytest.mark.parametrize("level_dbfs", [-6.1, -20, -30, -38])
def test_loud_and_faint_keys_are_heard(level_dbfs: float) -> None:
    assert keys_in(make_key_tones(EVERY_KEY, SHORT, SHORT, level_dbfs)) == EVERY_KEY


@pytest.mark.parametrize("off", [-0.0165, 0.0165])  # 1.5 % + 2 Hz at the highest; 1.5 % + 1 Hz at the lowest
def test_frequencies_one_and_a_half_percent_off_are_taken(off: float, monkeypatch: pytest.MonkeyPatch) -> None:
    for low, high in ((off, 0.0), (0.0, off), (off, off), (off, -off)):
        assert keys_in(off_key(monkeypatch, low, high)) == EVERY_KEY


@pytest.mark.parametrize("off", [-0.05, -0.035, 0.035, 0.05])
def test_frequencies_three_and_a_half_percent_off_are_refused(off: float, monkeypatch: pytest.MonkeyPatch) -> None:
    for low, high in ((off, 0.0), (0.0, off), (off, off), (off, -off)):
        assert keys_in(off_key(monkeypatch, low, high)) == b""


@pytest.mark.parametrize("law", [None, *Law])
def test_keys_are_heard_in_noise_fifteen_decibels_down_and_through_g711(law: Law | None) -> None:
    for seed in range(10):
        noisy = with_noise(make_key_tones(EVERY_KEY, Seconds(0.05), Seconds(0.05), -16), 15, -16, seed)
        line = AudioFrame(decode(encode(noisy.samples, law), law)) if law else noisy

        assert keys_in(line) == EVERY_KEY


def test_a_single_tone_and_three_tones_are_not_keys() -> None:
    moments = np.arange(8_000) / 8_000
    low, other, high = (8_000 * np.sin(2 * np.pi * hz * moments) for hz in (697, 852, 1209))

    for mixed in (low, high, low + other, low + other + high):
        assert keys_in(AudioFrame(np.rint(mixed).astype(np.int16))) == b""


def test_the_key_that_is_held_is_known_before_it_is_let_go() -> None:
    detector = KeyToneDetector()
    known = []
    for frame in frames_of(make_key_tones(b"7", Seconds(0.5), Seconds(0.1))):
        given_up = detector.feed(frame)
        known.append((detector.sounding, len(given_up)))

    assert [code for code, _ in known[2:24]] == [ord("7")] * 22
    assert known[-1] == (None, 0)
    assert sum(count for _, count in known) == 1


def test_a_tone_without_end_costs_no_memory() -> None:
    detector = KeyToneDetector()
    second = make_key_tones(b"7", Seconds(1.0), Seconds(0.0))
    for _ in range(60):
        assert detector.feed(second) == ()
    (tone,) = detector.finish()

    assert tone.duration == pytest.approx(60, abs=0.02)
    assert len(detector._run._opening if detector._run else []) == 0


def test_times_are_those_of_the_leg() -> None:
    later = make_key_tones(b"1")
    (tone,) = heard(AudioFrame(later.samples, TELEPHONY, SampleIndex(80_000)))

    assert tone.start == pytest.approx(10.0, abs=0.006)


def test_a_key_tone_does_not_show_its_key() -> None:
    (tone,) = heard(make_key_tones(b"8"))

    assert "8" not in repr(tone).split("start")[0]
    assert "56" not in repr(tone).split("start")[0]


def test_misuse_is_told() -> None:
    with pytest.raises(ProtocolError, match="of 8000 Hz was fed a frame of 16000 Hz"):
        KeyToneDetector().feed(silence(Seconds(0.02), WIDEBAND))
    with pytest.raises(ValueError, match="sixteen keys"):
        make_key_tones(b"1x")
    with pytest.raises(ValueError, match="clip"):
        make_key_tones(b"1", level_dbfs=-6, twist_db=1)


def test_no_keys_make_no_sound() -> None:
    assert len(make_key_tones(b"").samples) == 0
    assert heard(silence(Seconds(1.0))) == []


@settings(max_examples=30, deadline=None)
@given(
    keys=st.lists(st.sampled_from(list(PAD)), max_size=6),
    tone_ms=st.integers(40, 120),
    pause_ms=st.integers(40, 120),
    cuts=st.lists(st.integers(1, 900), max_size=12),
)
def test_keys_come_back_as_they_were_pressed_however_the_sound_is_cut(
    keys: list[int], tone_ms: int, pause_ms: int, cuts: list[int]
) -> None:
    sound = make_key_tones(keys, Seconds(tone_ms / 1000), Seconds(pause_ms / 1000))
    bounds = [0, *sorted({cut * 11 for cut in cuts if cut * 11 < len(sound.samples)}), len(sound.samples)]
    detector = KeyToneDetector()
    pieces = [tone for a, b in pairwise(bounds) for tone in detector.feed(AudioFrame(sound.samples[a:b], start=SampleIndex(a)))]
    pieces += detector.finish()

    assert [tone.code for tone in pieces] == keys
    assert pieces == heard(sound)


@pytest.mark.testdata
def test_recorded_keys_are_read_as_labelled_and_noise_gives_none(testdata: Path, manifest: Sequence[Mapping[str, Any]]) -> None:
    rows = [row for row in manifest if row["kind"] == "dtmf"]
    found = {row["path"]: keys_in(resample(read(testdata / row["path"]).channels[0], TELEPHONY)).decode() for row in rows}

    assert len(rows) >= 11
    assert found == {row["path"]: row["text"] for row in rows}


@pytest.mark.slow
@pytest.mark.testdata
def test_nobody_who_talks_and_no_music_is_taken_for_a_key(testdata: Path, manifest: Sequence[Mapping[str, Any]]) -> None:
    left_out = {"dtmf", "odd_file", "call_transcript", "spoken_query"}  # the last is made by machines, and long
    rows = [row for row in manifest if row.get("duration_s") and row["kind"] not in left_out]
    minutes = 0.0
    talked_off: dict[str, int] = {}
    for row in rows:
        for channel in read(testdata / row["path"]).channels:
            minutes += channel.duration / 60
            if false_keys := len(KeyToneDetector().feed(resample(channel, TELEPHONY))):
                talked_off[row["path"]] = false_keys

    assert minutes > 20
    assert talked_off == {}
