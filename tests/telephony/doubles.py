"""Peers that do what a test tells them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import numpy as np

from engine.core.audio import FRAME_SAMPLES, AudioFrame
from engine.telephony.leg import Gone, Incoming, Key, Leg, Sound
from engine.telephony.sockets import SocketClosed


class FakeSocket:
    """A WebSocket whose peer has said these messages and then, where ``hangs_up``, closes it."""

    def __init__(self, *messages: str | bytes, hangs_up: bool = True) -> None:
        self._messages = list(messages)
        self._hangs_up = hangs_up
        self.sent: list[str | bytes] = []
        self.closed = asyncio.Event()
        self.last_words: tuple[int, str] | None = None
        self.takes = True  # whether the peer reads what it is sent

    async def receive(self) -> str | bytes:
        await asyncio.sleep(0)
        if self._messages:
            return self._messages.pop(0)
        if not self._hangs_up:
            await self.closed.wait()
        raise SocketClosed

    async def send(self, message: str | bytes) -> None:
        if self.closed.is_set():
            raise SocketClosed
        if not self.takes:
            await asyncio.Event().wait()
        self.sent.append(message)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.last_words = self.last_words or (code, reason)
        self.closed.set()


def ramp(frames: int = 1, first: int = 1) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Samples that each differ from the next, so that none can be lost or swapped unnoticed."""
    return ((np.arange(frames * FRAME_SAMPLES) + first) % 30_000).astype(np.int16)


def frame(value: int = 1000) -> AudioFrame:
    return AudioFrame(np.full(FRAME_SAMPLES, value, np.int16))


async def everything(leg: Leg) -> list[Incoming]:
    """All that the leg gives, up to and with ``Gone``."""
    received: list[Incoming] = []
    while not received or not isinstance(received[-1], Gone):
        received.append(await asyncio.wait_for(leg.receive(), 5))
    return received


def sound_of(received: Iterable[Incoming]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """What was said, without the silence that was filled in."""
    pieces = [item.frame.samples for item in received if isinstance(item, Sound) and not item.filled]
    return np.concatenate([np.zeros(0, np.int16), *pieces])


def keys_of(received: Iterable[Incoming]) -> bytes:
    return bytes(item.code for item in received if isinstance(item, Key))
