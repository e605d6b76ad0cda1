"""A recording calls, presses keys, listens, and hangs up."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.audio import FRAME, FRAME_SAMPLES, WIDEBAND, AudioFrame
from engine.core.call import CallFacts, CallId
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.leg import Gone, Key, Sound
from engine.testing.wav_leg import Transferred, WavLeg
from tests.telephony.doubles import everything, frame, keys_of, ramp, sound_of

FACTS = CallFacts(CallId("c1"), "wav")


def leg_of(frames: int = 3, patience: float = 0.1, *keys: tuple[Seconds, int]) -> WavLeg:
    return WavLeg(AudioFrame(ramp(frames)), FACTS, real_time=False, keys=keys, patience=Seconds(patience))


async def test_the_recording_is_played_then_silence_then_it_hangs_up() -> None:
    leg = leg_of(frames=3, patience=0.1)
    received = await everything(leg)
    sounds = [item for item in received if isinstance(item, Sound)]

    assert np.array_equal(sound_of(received)[: 3 * FRAME_SAMPLES], ramp(3))
    assert not sound_of(received)[3 * FRAME_SAMPLES :].any()
    assert len(sounds) == 3 + 5
    assert [item.frame.start for item in sounds] == [FRAME_SAMPLES * place for place in range(8)]
    assert received[-1] == leg.gone == Gone("hung_up")


async def test_the_last_piece_is_filled_up_to_a_frame() -> None:
    leg = WavLeg(AudioFrame(ramp(1)[:50]), FACTS, real_time=False, patience=Seconds(0))
    received = await everything(leg)

    assert len(sound_of(received)) == FRAME_SAMPLES
    assert np.array_equal(sound_of(received)[:50], ramp(1)[:50])


async def test_an_empty_recording_is_a_caller_who_says_nothing() -> None:
    received = await everything(WavLeg(AudioFrame(ramp(1)[:0]), FACTS, real_time=False, patience=Seconds(0.1)))

    assert len(received) == 6


async def test_keys_are_pressed_at_their_time_even_after_the_recording() -> None:
    leg = leg_of(1, 0.1, (Seconds(0.06), ord("#")), (Seconds(0.02), ord("5")), (Seconds(0.5), ord("1")))
    received = await everything(leg)
    places = [
        sum(isinstance(item, Sound) for item in received[:place]) for place, item in enumerate(received) if isinstance(item, Key)
    ]

    assert keys_of(received) == b"5#1"
    assert places == [1, 3, 25]
    assert sum(isinstance(item, Sound) for item in received) == 30


async def test_the_caller_hears_what_is_sent_where_it_was_sent() -> None:
    leg = leg_of()
    await leg.receive()
    await leg.receive()
    await leg.send(frame(7))
    await leg.send(frame(8))
    await leg.receive()

    assert list(leg.heard.samples[::FRAME_SAMPLES]) == [0, 0, 7, 8]
    assert leg.heard.start == 0


async def test_what_was_sent_ahead_and_flushed_is_never_heard() -> None:
    leg = leg_of()
    for _ in range(3):
        await leg.send(frame(7))
    await leg.receive()
    await leg.flush()
    await leg.receive()
    await leg.send(frame(9))

    assert list(leg.heard.samples[::FRAME_SAMPLES]) == [7, 0, 9]


async def test_a_transfer_is_remembered_and_ends_the_call() -> None:
    leg = leg_of()
    await leg.transfer("cards", {"intent": "card_block"})
    await leg.hang_up()
    await leg.send(frame(7))

    assert await leg.receive() == Gone("transferred")
    assert leg.transferred == Transferred("cards", {"intent": "card_block"})
    assert not leg.heard.samples.any()


async def test_hanging_up_twice_is_hanging_up_once() -> None:
    leg = leg_of()
    await leg.hang_up()
    await leg.hang_up()

    assert await leg.receive() == Gone("ended")


def test_a_recording_of_another_rate_is_refused() -> None:
    with pytest.raises(MediaError, match="expected a recording of 8000 Hz, found 16000 Hz"):
        WavLeg(AudioFrame(ramp(1), WIDEBAND), FACTS, real_time=False)


async def test_in_real_time_a_frame_comes_when_it_has_been_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 50.0
    waits: list[float] = []

    async def sleep(length: float) -> None:
        nonlocal now
        waits.append(length)
        now += length

    monkeypatch.setattr("engine.testing.wav_leg.asyncio.sleep", sleep)
    leg = WavLeg(AudioFrame(ramp(3)), FACTS, real_time=True, clock=lambda: now)
    await leg.receive()
    now += 0.015  # the engine was busy
    await leg.receive()
    now += 0.050  # and then late
    await leg.receive()

    assert waits == pytest.approx([FRAME, FRAME - 0.015, 0.0])
