"""A caller behind a FreeSWITCH that streams by ``mod_audio_stream``: metadata first, L16, answers as ``streamAudio`` or raw.

Written from the READMEs of amigniter/mod_audio_stream and jambonz/freeswitch-modules/mod_audio_fork.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from engine.core.audio import AudioFormat, AudioFrame, Samples
from engine.telephony.coding import Linear
from engine.testing.caller import Caller, LineClosed


class FreeSwitchCaller(Caller):
    """One caller. Make it with :meth:`calling`."""

    def __init__(self, socket: ClientConnection, rate_hz: int, channels: int) -> None:
        super().__init__()
        self._socket = socket
        self._rate_hz = rate_hz
        self._channels = channels
        self._coding = Linear(AudioFormat(rate_hz))
        self.events: list[dict[str, Any]] = []
        """What became an event there: every JSON object but ``streamAudio``."""

    @classmethod
    @contextlib.asynccontextmanager
    async def calling(
        cls, url: str, metadata: str = "", *, rate_hz: int = 8000, channels: int = 1, **said: str
    ) -> AsyncIterator[FreeSwitchCaller]:
        """Place a call to a ``/freeswitch`` door, with ``said`` in the address; hang up on the way out."""
        query = urlencode({"rate": rate_hz, "channels": channels, **said})
        async with connect(f"{url}?{query}", compression=None) as socket:
            caller = cls(socket, rate_hz, channels)
            if metadata:
                await caller._send(metadata)
            async with caller.on_the_line():
                yield caller

    async def _send_sound(self, samples: Samples) -> None:
        mono = np.frombuffer(self._coding.encode(AudioFrame(samples)), "<i2")
        both = mono if self._channels == 1 else np.stack([mono, np.zeros_like(mono)], axis=1)  # the callee is silent
        await self._send(both.tobytes())

    async def _send_key(self, key: str) -> None:
        await self._send(json.dumps({"key": key}))

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self._socket:
                self._take(message)

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._heard(self._coding.decode(message))
            return
        match json.loads(message):
            case {"type": "streamAudio", "data": {"audioDataType": "raw", "sampleRate": self._rate_hz, "audioData": sound}}:
                self._heard(self._coding.decode(base64.b64decode(sound)))
            case {"type": "killAudio"} as event:
                self.events.append(event)
                self._cleared()
            case dict() as event:
                self.events.append(event)

    async def _send(self, message: str | bytes) -> None:
        try:
            await self._socket.send(message)
        except ConnectionClosed as error:
            raise LineClosed from error
