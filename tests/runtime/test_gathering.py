"""Sockets are looked at now and then, timers kept, and nothing is forgotten."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator

import pytest

from engine.core.units import Seconds
from engine.runtime import gathering
from engine.runtime.gathering import GatheringSelector, gathering_loop


class HandTime:
    """Time that passes only while somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(gathering, "time", self)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, length: float) -> None:
        self.now += length


@pytest.fixture
def hand_time(monkeypatch: pytest.MonkeyPatch) -> HandTime:
    return HandTime(monkeypatch)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def _watching(one: socket.socket) -> GatheringSelector:
    selector = GatheringSelector(Seconds(0.006))
    selector.register(one, selectors.EVENT_READ)
    return selector


def test_who_has_slept_for_long_is_told_at_once(hand_time: HandTime, pair: tuple[socket.socket, socket.socket]) -> None:
    with _watching(pair[0]) as selector:
        pair[1].send(b"1")
        found = selector.select(1.0)

    assert len(found) == 1
    assert hand_time.now == 100.0


def test_what_comes_right_after_a_look_waits_for_the_next_one(
    hand_time: HandTime, pair: tuple[socket.socket, socket.socket]
) -> None:
    with _watching(pair[0]) as selector:
        selector.select(0)
        pair[1].send(b"1")
        busy = selector.select(0)
        idle = selector.select(1.0)

    assert busy == []
    assert len(idle) == 1
    assert hand_time.now == pytest.approx(100.006)


def test_a_loop_that_never_rests_still_looks(hand_time: HandTime, pair: tuple[socket.socket, socket.socket]) -> None:
    with _watching(pair[0]) as selector:
        selector.select(0)
        pair[1].send(b"1")
        looks = []
        for _ in range(10):
            looks.append(len(selector.select(0)))
            hand_time.now += 0.001

    assert looks[:6] == [0, 0, 0, 0, 0, 0]
    assert looks[6] + looks[7] >= 1


def test_a_timer_that_is_due_sooner_is_not_kept_waiting(hand_time: HandTime, pair: tuple[socket.socket, socket.socket]) -> None:
    with _watching(pair[0]) as selector:
        selector.select(0)
        found = selector.select(0.002)

    assert found == []
    assert hand_time.now == pytest.approx(100.002)


def test_a_loop_of_them_runs_timers_sockets_and_threads() -> None:
    loop = gathering_loop()
    began = time.monotonic()
    try:
        come: list[str] = []
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with ours, theirs:
            theirs.send(b"x")
            loop.call_later(0.001, come.append, "timer")
            come.append(loop.run_until_complete(loop.sock_recv(ours, 1)).decode())
            come.append(loop.run_until_complete(loop.run_in_executor(None, lambda: "thread")))
            loop.call_later(0.02, loop.stop)
            loop.run_forever()
    finally:
        loop.close()

    assert sorted(come) == ["thread", "timer", "x"]
    assert time.monotonic() - began < 5
