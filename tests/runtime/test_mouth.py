from __future__ import annotations

import numpy as np

from engine.core.audio import AudioFrame
from engine.core.units import Seconds
from engine.runtime.mouth import Mouth


def sound(frames: int) -> AudioFrame:
    return AudioFrame(np.repeat(np.arange(1, frames + 1, dtype=np.int16), 160))


def test_it_sends_no_further_ahead_than_its_lead() -> None:
    mouth = Mouth(Seconds(0.06))
    mouth.start(1, sound(10), Seconds(1.0), barge_in=True)

    assert [round(frame.start_s, 2) for frame in mouth.due(Seconds(1.0))] == [1.0, 1.02, 1.04, 1.06]
    assert [round(frame.start_s, 2) for frame in mouth.due(Seconds(1.02))] == [1.08]


def test_a_play_is_finished_when_the_caller_has_heard_it_and_only_once() -> None:
    mouth = Mouth(Seconds(0.06))
    mouth.start(7, sound(3), Seconds(0.0), barge_in=True)
    list(mouth.due(Seconds(0.0)))

    assert mouth.finished(Seconds(0.04)) is None
    assert mouth.finished(Seconds(0.06)) == 7
    assert mouth.finished(Seconds(0.08)) is None


def test_a_mouth_that_was_kept_waiting_does_not_hurry() -> None:
    mouth = Mouth(Seconds(0.02))
    mouth.start(1, sound(10), Seconds(0.0), barge_in=True)
    list(mouth.due(Seconds(0.0)))

    assert [round(frame.start_s, 2) for frame in mouth.due(Seconds(0.5))] == [0.5, 0.52]


def test_what_was_stopped_says_nothing_more_and_never_finishes() -> None:
    mouth = Mouth(Seconds(0.06))
    mouth.start(1, sound(10), Seconds(0.0), barge_in=True)

    assert mouth.stop()
    assert not mouth.stop()
    assert list(mouth.due(Seconds(0.1))) == []
    assert mouth.finished(Seconds(9.0)) is None
