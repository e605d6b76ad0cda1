"""Rates are changed without moving, bending or dirtying the sound."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.resample import LiveResampler, resample
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFormat, AudioFrame, frames_of, joined
from engine.core.errors import ProtocolError
from engine.core.units import SampleIndex

CD = AudioFormat(44_100)
STUDIO = AudioFormat(48_000)
PAIRS = [(TELEPHONY, WIDEBAND), (WIDEBAND, TELEPHONY), (CD, TELEPHONY), (STUDIO, WIDEBAND), (TELEPHONY, AudioFormat(22_050))]
Change: TypeAlias = Callable[[AudioFrame, AudioFormat], AudioFrame]


def tone(hz: float, format: AudioFormat, seconds: float = 1.0, start: int = 0) -> AudioFrame:
    moments = np.arange(format.samples(seconds)) / format.rate_hz
    return AudioFrame(np.rint(16_000 * np.sin(2 * np.pi * hz * moments)).astype(np.int16), format, SampleIndex(start))


def live(sound: AudioFrame, to: AudioFormat) -> AudioFrame:
    resampler = LiveResampler(sound.format, to)
    return joined([*[resampler.feed(frame) for frame in frames_of(sound)], resampler.flush()])


def level_db(sound: AudioFrame) -> float:
    middle = sound.samples[len(sound.samples) // 4 : -len(sound.samples) // 4].astype(float)
    return float(10 * np.log10(np.mean(middle**2) / (16_000**2 / 2) + 1e-12))


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("change", [resample, live])
def test_a_tone_of_the_telephone_band_stays_the_same_tone_at_the_same_time(
    change: Change, source: AudioFormat, target: AudioFormat
) -> None:
    for hz in (300.0, 1_000.0, 3_300.0):
        changed = change(tone(hz, source), target)
        wanted = tone(hz, target)
        middle = slice(target.samples(0.1), target.samples(0.9))
        difference = AudioFrame(changed.samples[middle] - wanted.samples[middle], target)

        assert len(changed.samples) == len(wanted.samples)
        assert level_db(difference) < -22  # a tone half a decibel off, or 1/80 of a turn late, leaves this much


@pytest.mark.parametrize("change", [resample, live])
def test_what_the_lower_rate_cannot_carry_is_filtered_out_not_folded_back(change: Change) -> None:
    assert level_db(change(tone(5_000, STUDIO), TELEPHONY)) < -55


@pytest.mark.parametrize("change", [resample, live])
def test_a_telephone_sound_gets_no_mirror_image_above_it(change: Change) -> None:
    spectrum = np.abs(np.fft.rfft(change(tone(3_000, TELEPHONY), WIDEBAND).samples * np.hanning(16_000)))

    assert spectrum[4_500:].max() < spectrum.max() / 500


def test_the_same_sound_gives_the_same_bytes() -> None:
    sound = tone(440, CD)

    assert resample(sound, TELEPHONY).samples.tobytes() == resample(sound, TELEPHONY).samples.tobytes()


def test_full_scale_does_not_wrap_round() -> None:
    square = AudioFrame(np.where(np.arange(8_000) // 20 % 2, 32_767, -32_768).astype(np.int16))

    for changed in (resample(square, WIDEBAND), live(square, WIDEBAND)):
        edges = np.abs(np.diff(changed.samples.astype(int)))

        assert (edges > 50_000).sum() < 2 * len(changed.samples) // 40  # a wrapped sample would add two jumps to each real edge


def test_a_sound_knows_where_it_lies_at_the_new_rate() -> None:
    later = tone(440, TELEPHONY, start=8_000)

    assert resample(later, WIDEBAND).start == 16_000
    assert live(later, WIDEBAND).start == 16_000


def test_the_live_way_is_two_milliseconds_late_and_then_keeps_step() -> None:
    resampler = LiveResampler(TELEPHONY, WIDEBAND)
    given_back = [len(resampler.feed(frame).samples) for frame in frames_of(tone(440, TELEPHONY))]

    assert resampler.delay == pytest.approx(0.002)
    assert given_back == [320 - 32] + [320] * 49


def test_the_same_rate_costs_nothing() -> None:
    sound = tone(440, TELEPHONY)
    resampler = LiveResampler(TELEPHONY, TELEPHONY)

    assert resample(sound, TELEPHONY) is sound
    assert resampler.feed(sound) is sound
    assert resampler.delay == 0


def test_a_frame_of_another_rate_is_our_own_mistake() -> None:
    with pytest.raises(ProtocolError, match="8000 Hz was fed a frame of 16000 Hz"):
        LiveResampler(TELEPHONY, WIDEBAND).feed(tone(440, WIDEBAND))


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 700), min_size=1, max_size=8), pair=st.sampled_from(PAIRS))
def test_how_the_sound_is_cut_makes_no_difference(cuts: list[int], pair: tuple[AudioFormat, AudioFormat]) -> None:
    source, target = pair
    noise = np.random.default_rng(5).integers(-9_000, 9_000, sum(cuts)).astype(np.int16)
    whole, pieces = LiveResampler(source, target), LiveResampler(source, target)
    at_once = joined([whole.feed(AudioFrame(noise, source)), whole.flush()])
    bounds = np.cumsum([0, *cuts])
    parts = [pieces.feed(AudioFrame(noise[a:b], source, SampleIndex(int(a)))) for a, b in pairwise(bounds)]

    assert joined([*parts, pieces.flush()]).samples.tobytes() == at_once.samples.tobytes()
    assert len(at_once.samples) == -(-len(noise) * target.rate_hz // source.rate_hz)
