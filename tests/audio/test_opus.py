"""Ogg Opus for listening."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from engine.audio.files import read
from engine.audio.opus import opus
from engine.audio.recording import Recording
from engine.core.audio import AudioFormat, AudioFrame


def _tones(rate_hz: int, *hz: float, seconds: float = 3.0) -> Recording:
    """A tone a channel, each sounding from its channel's own second on for half a second."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    channels = []
    for place, tone in enumerate(hz):
        gate = (at >= place + 1) & (at < place + 1.5)
        channels.append((8000 * np.sin(2 * np.pi * tone * at) * gate).astype(np.int16))
    format = AudioFormat(rate_hz)
    return Recording(tuple(AudioFrame(it, format) for it in channels), format, "made")


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100])
def test_times_and_length_stay_and_both_channels_are_heard(rate_hz: int) -> None:
    heard = read(BytesIO(opus(_tones(rate_hz, 440.0, 900.0))))

    sound = heard.channels[0]
    loud = np.flatnonzero(np.abs(sound.samples) > 2000) / sound.format.rate_hz
    assert len(heard.channels) == 1
    assert heard.duration == pytest.approx(3.0, abs=0.03)
    assert loud[0] == pytest.approx(1.0, abs=0.03)
    assert loud[-1] == pytest.approx(2.5, abs=0.03)


def test_a_minute_of_noise_stays_small() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 60 * 8_000).astype(np.int16)
    format = AudioFormat(8_000)

    assert len(opus(Recording((AudioFrame(noise, format),), format, "made"))) < 180_000


def test_two_loud_voices_at_once_are_clipped_and_do_not_wrap_round() -> None:
    loud = AudioFrame(np.full(8_000, 30_000, np.int16))

    heard = read(BytesIO(opus(Recording((loud, loud), AudioFormat(8_000), "made"))))

    assert heard.channels[0].samples[2000:6000].min() > -10_000
