"""A caller at the other end of the Twilio dialect."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from engine.audio.g711 import Law, decode, encode
from engine.core.audio import Samples
from engine.testing.caller import Caller, LineClosed


class TwilioCaller(Caller):
    """One caller. Make it with :meth:`calling`."""

    def __init__(self, socket: ClientConnection) -> None:
        super().__init__()
        self._socket = socket

    @classmethod
    @contextlib.asynccontextmanager
    async def calling(cls, url: str, call: str = "CA1") -> AsyncIterator[TwilioCaller]:
        """Place a call to a ``/twilio`` door, under Twilio's name ``call``; hang up on the way out."""
        async with connect(url, compression=None, max_size=1 << 20) as socket:
            caller = cls(socket)
            await caller._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
            await caller._send({"event": "start", "streamSid": "MZ1", "start": {**_START, "callSid": call}})
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
            message = json.loads(text)
            if message["event"] == "clear":
                self._cleared()
            if message["event"] == "media":
                self._heard(decode(base64.b64decode(message["media"]["payload"]), Law.ULAW))

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
