"""A caller behind an Asterisk that speaks AudioSocket: 8 kHz PCM, keys as frames, or as tones in the sound."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import numpy as np

from engine.core.audio import Samples
from engine.telephony.audiosocket.frames import Frame, FrameReader, Kind
from engine.testing.caller import Caller, LineClosed


class AudioSocketCaller(Caller):
    """One caller. Make it with :meth:`calling`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: UUID) -> None:
        super().__init__()
        self._reader, self._writer = reader, writer
        self.name = name
        """Asterisk's for the call; the engine's begins with it."""

    @classmethod
    @contextlib.asynccontextmanager
    async def calling(cls, host: str, port: int, name: UUID | None = None) -> AsyncIterator[AudioSocketCaller]:
        """Place a call to an AudioSocket door, by the name it was announced with; hang up on the way out."""
        caller = cls(*await asyncio.open_connection(host, port), name or uuid4())
        try:
            await caller._send(Frame(Kind.UUID, caller.name.bytes))
            async with caller.on_the_line():
                yield caller
            with contextlib.suppress(LineClosed):
                await caller._send(Frame(Kind.HANG_UP))
        finally:
            caller._writer.close()

    async def _send_sound(self, samples: Samples) -> None:
        await self._send(Frame(Kind.SOUND, samples.astype("<i2").tobytes()))

    async def _send_key(self, key: str) -> None:
        await self._send(Frame(Kind.KEY, key.encode("ascii")))

    async def _read(self) -> None:
        frames = FrameReader()
        while octets := await self._received():
            frames.feed(octets)
            while (frame := frames.next()) is not None:
                if frame.kind == Kind.SOUND:
                    self._heard(np.frombuffer(frame.payload, "<i2").astype(np.int16))
                if frame.kind == Kind.HANG_UP:
                    return

    async def _received(self) -> bytes:
        try:
            return await self._reader.read(4096)
        except OSError as error:
            raise LineClosed from error

    async def _send(self, frame: Frame) -> None:
        if self.over.is_set() or self._writer.is_closing():
            raise LineClosed
        self._writer.write(bytes(frame))
        try:
            await self._writer.drain()
        except OSError as error:
            raise LineClosed from error
