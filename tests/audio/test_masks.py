"""A masked recording: the tone where it should be, the very same samples elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from engine.audio.keytones import KeyToneDetector
from engine.audio.masks import MASK_AMPLITUDE, mask_tone, masked
from engine.audio.recording import Recording
from engine.core.audio import AudioFormat, AudioFrame
from engine.core.units import Seconds


def noise(rate_hz: int = 8_000, seconds: float = 4.0, channels: int = 2) -> Recording:
    random = np.random.default_rng(4)
    rate = AudioFormat(rate_hz)
    sound = random.integers(-9_000, 9_000, (channels, round(rate_hz * seconds)), dtype=np.int16)
    return Recording(tuple(AudioFrame(channel, rate) for channel in sound), rate, "WAV/PCM_16")


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_only_the_masked_stretch_changes_and_both_channels_are_the_same_there(rate_hz: int) -> None:
    recording = noise(rate_hz)
    left, right = masked(recording, [(Seconds(1.0), Seconds(2.5))]).channels
    first, last = rate_hz, round(2.5 * rate_hz)

    assert np.array_equal(left.samples[first:last], right.samples[first:last])
    assert np.abs(left.samples[first:last]).max() <= MASK_AMPLITUDE
    assert np.array_equal(np.delete(left.samples, np.s_[first:last]), np.delete(recording.channels[0].samples, np.s_[first:last]))


def test_masking_again_gives_the_same_samples() -> None:
    spans = [(Seconds(0.5), Seconds(1.5)), (Seconds(3.0), Seconds(9.0))]
    once = masked(noise(), spans)
    twice = masked(once, spans)

    assert all(np.array_equal(one.samples, two.samples) for one, two in zip(once.channels, twice.channels, strict=True))


def test_the_given_recording_is_not_written_to() -> None:
    recording = noise()
    before = recording.channels[0].samples.copy()
    masked(recording, [(Seconds(0.0), Seconds(4.0))])

    assert np.array_equal(recording.channels[0].samples, before)


def test_the_tone_is_no_key() -> None:
    detector = KeyToneDetector()

    assert detector.feed(AudioFrame(mask_tone(0, 16_000, 8_000))) == detector.finish() == ()
