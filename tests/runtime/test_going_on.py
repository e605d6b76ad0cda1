"""Work in threads beside everything else: it goes on after a bad round, and is done once more in the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from sqlalchemy.exc import OperationalError

from engine.core.errors import ConfigError
from engine.core.units import Seconds
from engine.runtime.going_on import Work, beside_a_loop, going_on

NEVER = Seconds(3600.0)


@pytest.mark.parametrize("error", [OperationalError("", {}, Exception()), ConfigError("a file is gone")])
def test_a_bad_round_does_not_end_it(error: Exception) -> None:
    rounds, third = [0], threading.Event()

    def once() -> None:
        rounds[0] += 1
        if rounds[0] < 3:
            raise error
        third.set()

    with going_on([Work("w", once, lambda: Seconds(0.0))]):
        assert third.wait(10)


def test_it_is_done_once_more_in_the_end_and_nobody_waits_for_its_rest() -> None:
    done: list[str] = []
    first = threading.Event()

    def work(name: str, then: Callable[[], None]) -> Work:
        return Work(name, lambda: (done.append(name), then()), lambda: NEVER)

    with going_on([work("a", first.set), work("b", lambda: None)]):
        first.wait(10)
        before = done.count("a")

    assert (before, done.count("a")) == (1, 2)
    assert done.count("b") >= 1


async def test_the_loop_goes_on_while_the_last_round_is_waited_for() -> None:
    begun, may_end, over = threading.Event(), threading.Event(), threading.Event()

    def once() -> None:
        if over.is_set():
            begun.set()
            may_end.wait(10)

    async with beside_a_loop(going_on([Work("w", once, lambda: NEVER)])):
        over.set()
        asyncio.get_running_loop().create_task(asyncio.to_thread(begun.wait, 10)).add_done_callback(lambda _: may_end.set())

    assert may_end.is_set()
