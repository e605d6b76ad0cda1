"""A caller at the other end of a door: speaks recordings in real time, presses keys, notes when it hears what.

For journeys, benches and the demo; one subclass a dialect. Its clock is the wall clock; every time it notes is in seconds since
it connected.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

import numpy as np

from engine.core.audio import FRAME, TELEPHONY, AudioFrame, Samples, frames_of
from engine.core.units import Seconds

_AUDIBLE = 60.0  # RMS of 16-bit samples, about -55 dBFS: above the idle line, below any prompt
_LINE_NOISE = 12.0  # RMS; no telephone line is digitally silent
_QUIET = Seconds(0.6)  # after which the engine is taken to have finished speaking


class LineClosed(Exception):
    """The engine has ended the call."""


class Caller(ABC):
    """One caller. A dialect says how sound and keys are written, and reads what comes."""

    def __init__(self) -> None:
        self._opened = time.monotonic()
        self._to_say: asyncio.Queue[Samples] = asyncio.Queue()
        self._noise = np.random.default_rng(1)
        self._news = asyncio.Event()
        self.sounds: list[Seconds] = []
        """When audible frames of the engine's came in."""
        self.clears: list[Seconds] = []
        """When the engine took back what had not been played."""
        self._acted = Seconds(0.0)
        self.over = asyncio.Event()
        """Set when the engine has ended the call."""

    @abstractmethod
    async def _send_sound(self, samples: Samples) -> None:
        """Send 20 ms.

        Raises:
            LineClosed: nobody takes it.
        """

    @abstractmethod
    async def _send_key(self, key: str) -> None:
        """Send a key as a message.

        Raises:
            LineClosed: nobody takes it.
        """

    @abstractmethod
    async def _read(self) -> None:
        """Take what comes until the line is closed."""

    @contextlib.asynccontextmanager
    async def on_the_line(self) -> AsyncIterator[None]:
        """Speak and listen meanwhile."""
        tasks = [asyncio.create_task(self._speak()), asyncio.create_task(self._listen())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def now(self) -> Seconds:
        """Seconds since the call was placed."""
        return Seconds(time.monotonic() - self._opened)

    async def say(self, sound: AudioFrame) -> tuple[Seconds, Seconds]:
        """Speak a recording (8 kHz); when its first and its last sample were sent. A line that is closed takes it unheard."""
        frames = [frame.samples for frame in frames_of(sound)]
        for frame in frames:
            self._to_say.put_nowait(frame)
        await self._to_say.join()
        ended = self._acted = self.now
        return Seconds(ended - len(frames) * FRAME), ended

    async def press(self, keys: str, every: Seconds = Seconds(0.15)) -> None:
        """Press keys."""
        with contextlib.suppress(LineClosed):
            for key in keys:
                await self._send_key(key)
                await asyncio.sleep(every)
        self._acted = self.now

    async def hears(self, after: Seconds, within: Seconds = Seconds(10.0)) -> Seconds:
        """Wait for the first audible frame after a moment; when it came.

        Raises:
            TimeoutError: none came in time.
        """
        async with asyncio.timeout(within):
            while not (self.sounds and self.sounds[-1] > after):
                self._news.clear()
                await self._news.wait()
        return next(at for at in self.sounds if at > after)

    async def quiet(self, for_s: Seconds = _QUIET, within: Seconds = Seconds(60.0)) -> None:
        """Wait until the engine has said something and then nothing for a while, or has ended the call.

        Raises:
            TimeoutError: it goes on and on, or never began.
        """
        async with asyncio.timeout(within):
            while not self.over.is_set() and not (  # noqa: ASYNC110 -- silence sends no event
                self.sounds and self.now - self.sounds[-1] > for_s
            ):
                await asyncio.sleep(FRAME)

    async def answered(self, for_s: Seconds = _QUIET, within: Seconds = Seconds(60.0)) -> None:
        """Wait until the engine has answered what the caller said or pressed last and then said nothing for a while, or has ended
        the call.

        Raises:
            TimeoutError: it goes on and on, or never began.
        """
        async with asyncio.timeout(within):
            while not self.over.is_set() and not (  # noqa: ASYNC110 -- silence sends no event
                self.sounds and self.sounds[-1] > self._acted and self.now - self.sounds[-1] > for_s
            ):
                await asyncio.sleep(FRAME)

    def _heard(self, samples: Samples) -> None:
        """Note a frame of the engine's."""
        if np.sqrt(np.mean(samples.astype(np.float64) ** 2)) > _AUDIBLE:
            self.sounds.append(self.now)
            self._news.set()

    def _cleared(self) -> None:
        self.clears.append(self.now)

    async def _speak(self) -> None:
        due = time.monotonic()
        while True:
            due += FRAME
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            noise = np.round(self._noise.normal(0.0, _LINE_NOISE, TELEPHONY.samples(FRAME))).astype(np.int32)
            speaking = not self._to_say.empty()
            speech = self._to_say.get_nowait() if speaking else np.zeros_like(noise)
            with contextlib.suppress(LineClosed):
                await self._send_sound(np.clip(speech + noise, -32768, 32767).astype(np.int16))
            if speaking:
                self._to_say.task_done()

    async def _listen(self) -> None:
        with contextlib.suppress(LineClosed):
            await self._read()
        self.over.set()
