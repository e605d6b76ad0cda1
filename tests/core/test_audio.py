from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, WIDEBAND, AudioFormat, AudioFrame, frames_of, joined, silence
from engine.core.units import SampleIndex, Seconds


def ramp(count: int, start: int = 0) -> AudioFrame:
    return AudioFrame(np.arange(count, dtype=np.int16), TELEPHONY, SampleIndex(start))


@pytest.mark.parametrize("rate", [0, 7_999, 192_001, -8_000])
def test_a_rate_no_telephone_has_is_refused(rate: int) -> None:
    with pytest.raises(ValueError, match=f"a rate lies between 8000 and 192000 Hz, got {rate}"):
        AudioFormat(rate)


def test_a_frame_knows_where_it_lies() -> None:
    frame = ramp(400, start=800)

    assert (frame.start_s, frame.end_s, frame.duration) == (0.1, 0.15, 0.05)


def test_silence_is_silent_and_as_long_as_asked() -> None:
    assert silence(Seconds(0.1), WIDEBAND).samples.tolist() == [0] * 1600


@given(st.integers(0, 2_000), st.integers(0, 10_000))
def test_frames_lie_one_after_the_other_and_make_the_sound_again(count: int, start: int) -> None:
    sound = ramp(count, start)
    frames = list(frames_of(sound))

    assert all(len(frame.samples) == FRAME_SAMPLES for frame in frames)
    assert [frame.start for frame in frames] == list(range(start, start + count, FRAME_SAMPLES))
    if frames:
        again = joined(frames)
        assert again.start == start
        assert np.array_equal(again.samples[:count], sound.samples)
        assert not again.samples[count:].any()


def test_twenty_milliseconds_are_the_beat() -> None:
    assert TELEPHONY.seconds(FRAME_SAMPLES) == FRAME


def test_frames_of_different_rates_are_not_joined() -> None:
    with pytest.raises(ValueError, match="different rates"):
        joined([silence(FRAME), silence(FRAME, WIDEBAND)])


def test_nothing_can_not_be_joined() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        joined([])
