"""A caller at the other end of the Twilio dialect: speaks recordings in real time, presses keys, notes when it hears what.

For journeys, benches and the demo. Its clock is the wall clock; every time it notes is in seconds since it connected.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from engine.audio.g711 import Law, decode, encode
from engine.core.audio import FRAME, AudioFrame, Samples, frames_of
from engine.core.units import Seconds

_AUDIBLE = 60.0  # RMS of 16-bit samples, about -55 dBFS: above the idle line, below any prompt
_LINE_NOISE = 12.0  # RMS; no telephone line is digitally silent
_QUIET = Seconds(0.6)  # after which the engine is taken to have finished speaking


class TwilioCaller:
    """One caller. Make it with :meth:`calling`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._opened = time.monotonic()
        self._to_say: asyncio.Queue[Samples] = asyncio.Queue()
        self._noise = np.random.default_rng(1)
        self.sounds: list[Seconds] = []
        """When audible frames of the engine's came in."""
        self.clears: list[Seconds] = []
        """When the engine took back what had not been played."""
        self._news = asyncio.Event()
        self.over = asyncio.Event()
        """Set when the engine has ended the call."""

    @classmethod
    @contextlib.asynccontextmanager
    async def calling(cls, url: str) -> AsyncIterator[TwilioCaller]:
        """Place a call to a ``/twilio`` door; hang up on the way out."""
        async with connect(url, compression=None, max_size=1 << 20) as socket:
            caller = cls(socket)
            await caller._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
            await caller._send({"event": "start", "streamSid": "MZ1", "start": _START})
            tasks = [asyncio.create_task(caller._speak()), asyncio.create_task(caller._listen())]
            try:
                yield caller
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                with contextlib.suppress(ConnectionClosed):
                    await caller._send({"event": "stop", "streamSid": "MZ1"})

    @property
    def now(self) -> Seconds:
        """Seconds since the call was placed."""
        return Seconds(time.monotonic() - self._opened)

    async def say(self, sound: AudioFrame) -> tuple[Seconds, Seconds]:
        """Speak a recording (8 kHz); when its first and its last sample were sent."""
        frames = [frame.samples for frame in frames_of(sound)]
        for frame in frames:
            self._to_say.put_nowait(frame)
        await self._to_say.join()
        ended = self.now
        return Seconds(ended - len(frames) * FRAME), ended

    async def press(self, keys: str, every: Seconds = Seconds(0.15)) -> None:
        """Press keys."""
        for key in keys:
            await self._send({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": key}})
            await asyncio.sleep(every)

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

    async def _speak(self) -> None:
        due = time.monotonic()
        with contextlib.suppress(ConnectionClosed):
            while True:
                due += FRAME
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                noise = np.round(self._noise.normal(0.0, _LINE_NOISE, round(FRAME * 8000))).astype(np.int32)
                speaking = not self._to_say.empty()
                speech = self._to_say.get_nowait() if speaking else np.zeros_like(noise)
                sent = np.clip(speech + noise, -32768, 32767).astype(np.int16)
                payload = base64.b64encode(encode(sent, Law.ULAW)).decode()
                await self._send({"event": "media", "streamSid": "MZ1", "media": {"track": "inbound", "payload": payload}})
                if speaking:
                    self._to_say.task_done()

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self._socket:
                self._take(json.loads(message))
        self.over.set()

    def _take(self, message: dict[str, Any]) -> None:
        if message["event"] == "clear":
            self.clears.append(self.now)
        if message["event"] == "media":
            samples = decode(base64.b64decode(message["media"]["payload"]), Law.ULAW).astype(np.float64)
            if np.sqrt(np.mean(samples**2)) > _AUDIBLE:
                self.sounds.append(self.now)
                self._news.set()

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(message))


_START = {
    "accountSid": "AC1",
    "streamSid": "MZ1",
    "callSid": "CA1",
    "tracks": ["inbound"],
    "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    "customParameters": {},
}
