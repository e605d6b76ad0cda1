"""What becomes of calls over AudioSocket when the process that holds their connections dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import numpy as np

from engine.telephony.audiosocket.gateway import Gateway
from engine.telephony.leg import Gone
from tests.telephony.audiosocket_door import DEFAULTS, HANG_UP, HELLO, Door, known, listening, sound
from tests.telephony.doubles import everything, ramp, sound_of
from tests.telephony.sip_line import alive


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[tuple[Door, Gateway]]:
    """A door with a process of its own."""
    door = Door()
    gateway = Gateway(listening(), DEFAULTS, known, door.take)
    door.port = await gateway.open()
    try:
        yield door, gateway
    finally:
        door.over.set()
        await gateway.close()


async def test_its_death_ends_its_calls_with_all_that_was_heard_and_those_that_come_meanwhile_wait_for_the_next() -> None:
    async with served() as (door, gateway):
        first = await door.call(HELLO, *sound(ramp(3)))
        leg = await door.leg()
        heard = [await leg.receive() for _ in range(3)]
        dead = gateway.process.pid
        assert dead is not None
        os.kill(dead, signal.SIGKILL)
        heard += await everything(leg)
        await door.call(HELLO, *sound(ramp(2)), HANG_UP)
        second = await everything(await door.leg())

        assert np.array_equal(sound_of(heard), ramp(3))
        assert heard[-1] == Gone("lost")
        assert np.array_equal(sound_of(second), ramp(2))
        assert (gateway.process.deaths, gateway.process.pid == dead) == (1, False)
        first.hang_up()


async def test_closing_the_door_hangs_up_on_everybody_and_leaves_no_process() -> None:
    async with served() as (door, gateway):
        peer = await door.call(HELLO)
        leg = await door.leg()
        silent = await door.call(b"\x01\x00")
        pid = gateway.process.pid
        closing = asyncio.create_task(gateway.process.close())
        said = [await peer.hear(), await silent.hear()]
        await closing

        assert said == [[HANG_UP], [HANG_UP]]
        assert (await everything(leg))[-1] == Gone("lost")
        assert not alive(pid)
