"""Clients of a vosk-server, written from its protocol and from what is known of the programs that speak it.

:class:`VoskClient` does as the sample clients in Python, PHP and Go: a message of sound, then its reply, in step.
:class:`ModVosk` does as FreeSWITCH's mod_vosk, :class:`SpeechVosk` as Asterisk's res_speech_vosk: both are fed 20 ms at a time
and look whether something has come, and both have their own way of reading it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from engine.core.audio import AudioFrame

EOF: Final = '{"eof" : 1}'
RESET: Final = '{"reset" : 1}'
BLOCK: Final = 3200  # bytes: 0.2 s at 8 kHz
_LARGEST = 1 << 22


def blocks(sound: AudioFrame, size: int = BLOCK) -> Iterator[bytes]:
    """The sound as clients send it."""
    octets = sound.samples.astype("<i2").tobytes()
    return (octets[at : at + size] for at in range(0, len(octets), size))


class VoskClient:
    """Sends and receives in step. Make it with :meth:`connected`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, url: str, config: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[VoskClient]:
        """Connect and send ``config``; ``options`` are those of ``websockets``' ``connect``."""
        async with connect(url, max_size=_LARGEST, **options) as socket:
            client = cls(socket)
            if config is not None:
                await client.configure(**config)
            yield client

    async def configure(self, **config: Any) -> None:
        """Say how the sound is to be understood; nothing is replied."""
        await self.socket.send(json.dumps({"config": config}))

    async def ask(self, message: str | bytes) -> str:
        """Send a message and wait for its reply."""
        await self.socket.send(message)
        return str(await self.socket.recv())

    async def say(self, sound: AudioFrame, size: int = BLOCK) -> list[dict[str, Any]]:
        """Send sound; the replies, one for each message."""
        return [json.loads(await self.ask(block)) for block in blocks(sound, size)]

    async def finish(self) -> dict[str, Any]:
        """Say that the sound is over; the last reply."""
        last: dict[str, Any] = json.loads(await self.ask(EOF))
        return last


class _Polling:
    """Is fed sound, and looks for replies without ever waiting for one."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._buffer = b""

    async def _reply(self) -> str | None:
        """What has come, if anything has."""
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(0):
                return str(await self._socket.recv())
        except TimeoutError:
            return None


class ModVosk(_Polling):
    """FreeSWITCH's: no config, blocks of 3200 bytes once there is more than one, replies judged by what they contain."""

    def __init__(self, socket: ClientConnection) -> None:
        super().__init__(socket)
        self.result: str | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, url: str) -> AsyncIterator[ModVosk]:
        """Connect; in the end the socket is closed without a word."""
        socket = await connect(url, compression=None, ping_interval=None)
        try:
            yield cls(socket)
        finally:
            socket.transport.abort()

    async def feed(self, octets: bytes) -> None:
        """Take 20 ms of the call."""
        self._buffer += octets
        if len(self._buffer) > BLOCK:
            block, self._buffer = self._buffer[:BLOCK], self._buffer[BLOCK:]
            await self._socket.send(block)
        reply = await self._reply()
        self.result = self.result if reply is None else reply

    def results(self) -> tuple[str, bool] | None:
        """What it gives its caller, and whether there is more to come; ``None`` while there is nothing."""
        if self.result is None or '""' in self.result:
            return None
        found, self.result = self.result, None
        return found, '"partial"' in found


class SpeechVosk(_Polling):
    """Asterisk's: offers the subprotocol ``ws``; done at the first text that is not empty."""

    def __init__(self, socket: ClientConnection) -> None:
        super().__init__(socket)
        self.last: str | None = None
        self.done = False

    @classmethod
    @contextlib.asynccontextmanager
    async def created(cls, url: str) -> AsyncIterator[SpeechVosk]:
        """Connect; in the end say ``eof``, and close without waiting for anything."""
        socket = await connect(url, subprotocols=[Subprotocol("ws")], compression=None, ping_interval=None)
        try:
            yield cls(socket)
        finally:
            await socket.send(EOF)
            socket.transport.abort()

    @property
    def subprotocol(self) -> str | None:
        """What the server agreed to."""
        return self._socket.subprotocol

    async def write(self, octets: bytes) -> None:
        """Take 20 ms of the call."""
        self._buffer += octets
        if len(self._buffer) == BLOCK:
            await self._socket.send(self._buffer)
            self._buffer = b""
        reply = await self._reply()
        if reply is not None:
            self._read(json.loads(reply))

    def _read(self, reply: dict[str, Any]) -> None:
        if reply.get("partial"):
            self.last = reply["partial"]
        elif reply.get("text"):
            self.last, self.done = reply["text"], True
