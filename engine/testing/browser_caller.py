"""A caller at the browser phone's socket, without a browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from engine.core.audio import Samples
from engine.testing.caller import Caller, LineClosed


class BrowserCaller(Caller):
    """One caller. Make it with :meth:`calling`."""

    def __init__(self, socket: ClientConnection) -> None:
        super().__init__()
        self._socket = socket
        self.call = ""
        """The engine's name for the call, once it said ``ready``."""
        self.messages: list[dict[str, Any]] = []
        """What the page was sent beside sound."""
        self.ready = asyncio.Event()

    @classmethod
    @contextlib.asynccontextmanager
    async def calling(cls, url: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[BrowserCaller]:
        """Place a call to a ``/phone/ws`` door; hang up on the way out. ``headers`` show who has signed in."""
        async with connect(url, additional_headers=headers, compression=None) as socket:
            caller = cls(socket)
            async with caller.on_the_line():
                yield caller
            with contextlib.suppress(ConnectionClosed):
                await socket.send('{"event": "hangup"}')

    async def _send_sound(self, samples: Samples) -> None:
        await self._send(samples.astype("<i2").tobytes())

    async def _send_key(self, key: str) -> None:
        await self._send(json.dumps({"key": key}))

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._read_all()

    async def _read_all(self) -> None:
        async for message in self._socket:
            if isinstance(message, bytes):
                self._heard(np.frombuffer(message, "<i2").astype(np.int16))
            else:
                self._take(json.loads(message))

    def _take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        match message:
            case {"event": "ready", "call": call}:
                self.call = call
                self.ready.set()
            case {"event": "clear"}:
                self._cleared()

    async def _send(self, message: str | bytes) -> None:
        try:
            await self._socket.send(message)
        except ConnectionClosed as error:
            raise LineClosed from error
