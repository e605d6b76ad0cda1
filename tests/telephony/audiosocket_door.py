"""An engine that has an AudioSocket door and nothing else, and peers that do as Asterisk does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from engine.core.call import CallFacts
from engine.telephony.apart.supervised import Program, _Link
from engine.telephony.apart.wire import Frame as Told
from engine.telephony.apart.wire import Kind as Telling
from engine.telephony.apart.wire import Ready
from engine.telephony.audiosocket.frames import Frame, FrameReader, Kind
from engine.telephony.audiosocket.gateway import Gateway
from engine.telephony.audiosocket.leg import AudioSocketLeg
from engine.telephony.audiosocket.process import serve
from engine.telephony.audiosocket.settings import AudioSocketSettings
from engine.telephony.handover import new_call_id
from tests.telephony.test_audiosocket_frames import frames

NAME = UUID("40325ec2-5efd-4bd3-805f-53576e581d13")
HELLO = Frame(Kind.UUID, NAME.bytes)
HANG_UP = Frame(Kind.HANG_UP)
DEFAULTS = AudioSocketSettings()
PROCESS = "engine.telephony.audiosocket.gateway.Supervised"


def sound(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> list[Frame]:
    """As Asterisk sends it: 20 ms a frame."""
    return [Frame(Kind.SOUND, samples[at : at + 160].astype("<i2").tobytes()) for at in range(0, len(samples), 160)]


def known(name: UUID) -> CallFacts:
    """Of every call."""
    return CallFacts(new_call_id(str(name)), "audiosocket", peer_id=str(name))


class Near:
    """The AudioSocket process, but in this loop: nothing is spared but the time it takes to start one."""

    deaths = 0

    def __init__(self, program: Program, take: Callable[[Told], None], lost: Callable[[], None]) -> None:
        self._program, self._pass_on, self._lost = program, take, lost
        self._link = _Link(self._take)
        self._ready: asyncio.Queue[int] = asyncio.Queue()
        self.tell = self._link.tell

    async def open(self) -> int:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        self._serving = asyncio.create_task(serve(theirs, socket.socket(fileno=os.dup(*self._program.passed))))
        await asyncio.get_running_loop().connect_accepted_socket(lambda: self._link, ours)
        self._link.tell(Told(Telling.START, payload=self._program.settings(0).encode()))
        return await self._ready.get()

    async def close(self) -> None:
        self._link.close()
        await self._serving
        self._lost()

    def _take(self, told: Told) -> None:
        if told.kind is Telling.READY:
            self._ready.put_nowait(Ready.of(told).port)
        elif told.kind is not Telling.PULSE:
            self._pass_on(told)


class Asterisk:
    """The far end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def say(self, *frames: Frame | bytes) -> None:
        for one in frames:
            self._writer.write(bytes(one))

    async def octets(self) -> bytes:
        """Everything up to the end of the connection."""
        return await asyncio.wait_for(self._reader.read(-1), 5)

    async def hear(self) -> list[Frame]:
        """The same, as frames."""
        return frames(FrameReader(), await self.octets())

    def hang_up(self) -> None:
        self._writer.close()


class Door:
    """The door, and the legs that came in through it."""

    def __init__(self) -> None:
        self.legs: asyncio.Queue[AudioSocketLeg] = asyncio.Queue()
        self.port = 0
        self.over = asyncio.Event()

    async def take(self, leg: AudioSocketLeg) -> None:
        self.legs.put_nowait(leg)
        await self.over.wait()

    async def leg(self) -> AudioSocketLeg:
        return await asyncio.wait_for(self.legs.get(), 5)

    async def call(self, *frames: Frame | bytes) -> Asterisk:
        peer = Asterisk(*await asyncio.open_connection("127.0.0.1", self.port))
        peer.say(*frames)
        return peer


@contextlib.asynccontextmanager
async def door(
    settings: AudioSocketSettings = DEFAULTS,
    admit: Callable[[UUID], CallFacts | None] = known,
    take: Callable[[AudioSocketLeg], Awaitable[object]] | None = None,
    **more: Any,
) -> AsyncIterator[Door]:
    """Open one whose process is in this loop."""
    opened = Door()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PROCESS, Near)
        gateway = Gateway(listening(), settings, admit, take or opened.take, **more)
    opened.port = await gateway.open()
    try:
        yield opened
    finally:
        opened.over.set()
        await gateway.close()


def listening() -> socket.socket:
    """A socket that is bound."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound
