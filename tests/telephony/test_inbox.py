"""Between reader and driver nothing is lost, silence comes in time, and a dead peer is noticed."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.inbox import MOST_KEYS, Inbox
from engine.telephony.leg import Gone, Key, Sound
from tests.telephony.doubles import ramp


class HandClock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_things_come_out_in_the_order_they_went_in() -> None:
    inbox = Inbox(HandClock())
    inbox.sound(ramp(1))
    inbox.key(ord("5"))
    inbox.sound(ramp(1, first=161))
    inbox.end("hung_up")
    received = [await inbox.receive() for _ in range(4)]

    assert [type(item) for item in received] == [Sound, Key, Sound, Gone]
    assert received[3] == Gone("hung_up")


async def test_silence_is_given_once_the_clock_says_it_is_due() -> None:
    clock = HandClock()
    inbox = Inbox(clock)
    clock.now += 0.2
    received = await inbox.receive()

    assert isinstance(received, Sound)
    assert received.filled


async def test_waiting_can_be_cancelled_and_nothing_is_lost() -> None:
    inbox = Inbox(HandClock())
    waiting = asyncio.create_task(inbox.receive())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    inbox.sound(ramp(1))
    received = await inbox.receive()

    assert isinstance(received, Sound)
    assert np.array_equal(received.frame.samples, ramp(1))


async def test_waiting_is_woken_by_the_end_of_the_call() -> None:
    inbox = Inbox(HandClock())
    waiting = asyncio.create_task(inbox.receive())
    await asyncio.sleep(0)
    inbox.end("hung_up")

    assert await waiting == Gone("hung_up")


async def test_the_first_reason_to_end_stands() -> None:
    inbox = Inbox(HandClock())
    inbox.end("transferred")
    inbox.end("hung_up", MediaError("late"))

    assert await inbox.receive() == Gone("transferred")
    assert inbox.fault is None


async def test_what_arrives_after_the_end_is_dropped() -> None:
    inbox = Inbox(HandClock())
    inbox.end("ended")
    inbox.sound(ramp(1))

    assert await inbox.receive() == Gone("ended")


async def test_a_peer_that_sends_nothing_at_all_is_lost() -> None:
    clock = HandClock()
    inbox = Inbox(clock, lost=Seconds(30))
    clock.now += 29
    assert isinstance(await inbox.receive(), Sound)
    inbox.alive()
    clock.now += 29
    assert isinstance(await inbox.receive(), Sound)
    clock.now += 2
    received = [await inbox.receive() for _ in range(3000)]

    assert received[-1] == Gone("lost")


async def test_a_driver_that_wants_things_delivered_gets_them_as_they_come_and_the_end_last() -> None:
    come: list[object] = []
    inbox = Inbox(HandClock())
    inbox.sound(ramp(1))
    inbox.deliver(come.append)
    inbox.key(ord("5"))
    inbox.sound(ramp(1, first=161))
    inbox.end("hung_up")
    inbox.end("lost")

    assert [type(item) for item in come] == [Sound, Key, Sound, Gone]
    assert come[-1] == Gone("hung_up")


async def test_what_ended_before_it_was_to_be_delivered_is_delivered_as_ended() -> None:
    come: list[object] = []
    inbox = Inbox(HandClock())
    inbox.end("hung_up")
    inbox.deliver(come.append)

    assert come == [Gone("hung_up")]


async def test_silence_is_delivered_when_it_is_due_and_a_lost_peer_too() -> None:
    clock = HandClock()
    come: asyncio.Queue[object] = asyncio.Queue()
    inbox = Inbox(clock, lost=Seconds(30))
    clock.now += 0.2
    inbox.deliver(come.put_nowait)
    silences = [await asyncio.wait_for(come.get(), 5) for _ in range(8)]
    early = come.empty()
    clock.now += 31
    last = await asyncio.wait_for(come.get(), 5)

    assert all(isinstance(item, Sound) and item.filled for item in silences)
    assert early
    assert last == Gone("lost")


def test_what_is_no_key_is_refused_without_being_told() -> None:
    with pytest.raises(MediaError) as refused:
        Inbox(HandClock()).key(ord("7") + 100)

    assert "7" not in str(refused.value)
    assert str(ord("7") + 100) not in str(refused.value)


def test_more_keys_than_fingers_can_press_are_refused() -> None:
    clock = HandClock()
    inbox = Inbox(clock)
    for _ in range(MOST_KEYS):
        inbox.key(ord("5"))
    with pytest.raises(MediaError, match="at most 50 keys in a second"):
        inbox.key(ord("5"))
    clock.now += 1.0

    inbox.key(ord("5"))
