"""A call's timeline has no gaps, loses nothing that was said, and keeps up with the wall clock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.audio import FRAME, FRAME_SAMPLES
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.clock import MOST_AHEAD, PATIENCE, Timeline
from engine.telephony.leg import Sound
from tests.telephony.doubles import ramp

OPENED = Seconds(1000.0)
SLACK = 1e-6


def at(offset: float) -> Seconds:
    return Seconds(OPENED + offset)


def filled_up(timeline: Timeline, now: Seconds) -> list[Sound]:
    sounds = []
    while (sound := timeline.fill(now)) is not None:
        sounds.append(sound)
    return sounds


def test_sound_is_given_on_as_it_arrives_in_frames_of_20_ms() -> None:
    timeline = Timeline(OPENED)
    sounds = timeline.arrive(ramp(2)[:200], at(0.02)) + timeline.arrive(ramp(2)[200:], at(0.04))

    assert [sound.frame.start for sound in sounds] == [0, FRAME_SAMPLES]
    assert np.array_equal(np.concatenate([sound.frame.samples for sound in sounds]), ramp(2))
    assert not any(sound.filled for sound in sounds)


def test_silence_is_due_when_the_peers_patience_is_over_and_not_before() -> None:
    timeline = Timeline(OPENED)
    timeline.arrive(ramp(1), at(0.02))

    assert timeline.deadline == pytest.approx(OPENED + FRAME + PATIENCE)
    assert timeline.fill(Seconds(timeline.deadline - SLACK)) is None
    assert timeline.fill(timeline.deadline) is not None


def test_a_peer_that_says_nothing_is_silent_up_to_the_clock() -> None:
    sounds = filled_up(Timeline(OPENED), at(1.0))

    assert len(sounds) == round((1.0 - PATIENCE) / FRAME) + 1
    assert all(sound.filled and not sound.frame.samples.any() for sound in sounds)


def test_a_half_frame_is_filled_up_and_counts_as_heard() -> None:
    timeline = Timeline(OPENED)
    timeline.arrive(ramp(1)[:100], at(0.02))
    (sound,) = filled_up(timeline, timeline.deadline)

    assert not sound.filled
    assert np.array_equal(sound.frame.samples, np.concatenate([ramp(1)[:100], np.zeros(60, np.int16)]))


def test_what_comes_late_goes_behind_the_silence_and_the_next_pause_is_not_filled() -> None:
    timeline = Timeline(OPENED)
    silence = filled_up(timeline, at(0.14))  # five frames
    late = timeline.arrive(ramp(5), at(0.14))

    assert len(silence) == 5
    assert len(late) == 5
    assert timeline.fill(at(0.24)) is None


def test_a_peer_that_sends_faster_than_time_passes_loses_what_is_too_far_ahead() -> None:
    timeline = Timeline(OPENED)
    sounds = [sound for _ in range(500) for sound in timeline.arrive(ramp(1), at(1.0))]

    assert len(sounds) * FRAME == pytest.approx(1.0 + MOST_AHEAD, abs=FRAME)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.3), st.integers(0, 260)), max_size=60))  # less than may lie in front of the clock
def test_no_gap_no_loss_and_never_far_behind(arrivals: list[tuple[float, int]]) -> None:
    timeline = Timeline(OPENED)
    now, spoken, given = 0.0, 0, []
    for wait, length in arrivals:
        now += wait
        given += filled_up(timeline, at(now))
        assert timeline.deadline > at(now)
        given += timeline.arrive(ramp(5, first=1 + spoken)[:length], at(now))
        spoken += length
    given += filled_up(timeline, Seconds(timeline.deadline + SLACK))[:1]
    samples = np.concatenate([np.zeros(0, np.int16), *(sound.frame.samples for sound in given)])
    heard = samples[samples != 0]

    assert [sound.frame.start for sound in given] == [FRAME_SAMPLES * place for place in range(len(given))]
    assert np.array_equal(heard, ramp(100)[:spoken])


def test_a_peer_that_floods_is_refused() -> None:
    timeline = Timeline(OPENED)

    with pytest.raises(MediaError, match="as fast as it is spoken, found 10 s more"):
        _ = [timeline.arrive(ramp(1), OPENED) for _ in range(601)]


def test_a_clock_that_is_a_little_fast_is_borne_for_hours() -> None:
    timeline = Timeline(OPENED)
    for second in range(3 * 3600):
        timeline.arrive(np.ones(8_008, np.int16), at(second))

    assert timeline.deadline == pytest.approx(at(3 * 3600 - 1) + MOST_AHEAD + PATIENCE, abs=0.1)
