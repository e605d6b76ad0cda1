"""A caller at the other end of the Twilio dialect: plays what it is sent in its own time, and gives marks back when it has."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from engine.audio.g711 import Law, decode, encode
from engine.core.audio import TELEPHONY, Samples
from engine.core.units import Seconds
from engine.testing.caller import Caller, LineClosed


class TwilioCaller(Caller):
    """One caller. Make it with :meth:`calling`."""

    def __init__(self, socket: ClientConnection) -> None:
        super().__init__()
        self._socket = socket
        self._played_to = Seconds(0.0)
        self._marks: dict[str, asyncio.TimerHandle] = {}
        self._giving: set[asyncio.Task[None]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def calling(cls, url: str, call: str = "CA1", **parameters: str) -> AsyncIterator[TwilioCaller]:
        """Place a call to a ``/twilio`` door, under Twilio's name ``call``; hang up on the way out."""
        async with connect(url, compression=None, max_size=1 << 20) as socket:
            caller = cls(socket)
            start = {**_START, "callSid": call, "customParameters": parameters}
            await caller._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
            await caller._send({"event": "start", "streamSid": "MZ1", "start": start})
            async with caller.on_the_line():
                yield caller
            with contextlib.suppress(LineClosed):
                await caller._send({"event": "stop", "streamSid": "MZ1"})

    async def _send_sound(self, samples: Samples) -> None:
        payload = base64.b64encode(encode(samples, Law.ULAW)).decode()
        await self._send({"event": "media", "streamSid": "MZ1", "media": {"track": "inbound", "payload": payload}})

    async def _send_key(self, key: str) -> None:
        await self._send({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": key}})

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._read_all()

    async def _read_all(self) -> None:
        async for text in self._socket:
            match json.loads(text):
                case {"event": "media", "media": {"payload": payload}}:
                    samples = decode(base64.b64decode(payload), Law.ULAW)
                    self._played_to = Seconds(max(self._played_to, self.now) + TELEPHONY.seconds(len(samples)))
                    self._heard(samples)
                case {"event": "mark", "mark": {"name": str(name)}}:
                    self._mark(name)
                case {"event": "clear"}:
                    self._clear()

    def _mark(self, name: str) -> None:
        """Give it back when what came before it has been played."""
        unplayed = max(0.0, self._played_to - self.now)
        self._marks[name] = asyncio.get_running_loop().call_later(unplayed, self._give_back, name)

    def _clear(self) -> None:
        """Forget what was not yet played; all marks in it come back at once."""
        self._cleared()
        self._played_to = self.now
        for name, due in list(self._marks.items()):
            due.cancel()
            self._give_back(name)

    def _give_back(self, name: str) -> None:
        del self._marks[name]
        giving = asyncio.create_task(self._given({"event": "mark", "streamSid": "MZ1", "mark": {"name": name}}))
        self._giving.add(giving)
        giving.add_done_callback(self._giving.discard)

    async def _given(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(LineClosed):
            await self._send(message)

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._socket.send(json.dumps(message))
        except ConnectionClosed as error:
            raise LineClosed from error


_START = {
    "accountSid": "AC1",
    "streamSid": "MZ1",
    "tracks": ["inbound"],
    "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    "customParameters": {},
}
