"""What digits are put through before the ear is fitted on them."""

import numpy as np
import pytest

from bench.digit_ear import RATE, Clip, hurried


def tone(hertz: float, seconds: float) -> Clip:
    return np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE).astype(np.float32)


@pytest.mark.parametrize("rate", [1.0, 1.3, 1.7])
def test_a_hurried_voice_takes_less_time_at_the_same_pitch(rate: float) -> None:
    sound = hurried(tone(200.0, 1.0), rate)

    assert len(sound) / RATE == pytest.approx(1.0 / rate, abs=0.04)
    assert np.abs(np.fft.rfft(sound)).argmax() * RATE / len(sound) == pytest.approx(200.0, abs=5.0)


def test_a_clip_too_short_to_be_hurried_gives_silence_and_no_error() -> None:
    assert not hurried(tone(200.0, 0.01), 1.5).any()
