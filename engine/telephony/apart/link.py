"""A door's process: its end of the socket pair, and what every such process does with itself.

It ends when the engine's end closes, and when the engine does not read: what the network brings is never kept for long.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

from engine.core.hardened import harden
from engine.telephony.apart.wire import Frame, FrameReader

_SOUND_KEPT: Final = 32_768  # bytes a call, two seconds, that the engine may leave unread; then sound is dropped
_MOST_UNREAD: Final = 16 * 1024 * 1024  # bytes of everything: the engine is gone


class Link(asyncio.Protocol):
    """The end of the socket pair that is the process's."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()
        """What the engine has said before somebody obeys; the settings first."""
        self._take: Callable[[Frame], None] = self.frames.put_nowait
        self._reader = FrameReader()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what the engine says."""
        for frame in self._reader.feed(data):
            self._take(frame)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """End: the engine is gone."""
        self.over.set()

    def obey(self, take: Callable[[Frame], None]) -> None:
        """Do what the engine says when it says it: a task that waits for each frame would cost as much as the frame."""
        while not self.frames.empty():
            take(self.frames.get_nowait())
        self._take = take

    @property
    def unread(self) -> int:
        """How many bytes the engine has not taken yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def hears(self, calls: int) -> bool:
        """Whether the engine takes the sound of so many calls."""
        return self.unread <= _SOUND_KEPT * calls

    def tell(self, frame: Frame) -> None:
        """Say something that must arrive."""
        self.write(bytes(frame))

    def write(self, octets: bytes) -> None:
        """Say it in frames."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(octets)
        if self.unread > _MOST_UNREAD:
            self.over.set()

    async def work(self, pumping: Coroutine[Any, Any, None]) -> None:
        """Pump until it is over; a bug of ours in the pump must not leave a deaf process."""
        pump = asyncio.create_task(pumping)
        pump.add_done_callback(lambda _: self.over.set())
        await self.over.wait()
        pump.cancel()


def run(serve: Callable[[socket.socket], Coroutine[Any, Any, int]], precedence: Callable[[], object]) -> None:
    """Be a door's process: take the socket from the command line, serve, end. Signals are for the engine."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    harden()
    precedence()
    theirs = socket.socket(fileno=int(sys.argv[1]))
    theirs.setblocking(False)
    code = asyncio.run(serve(theirs))
    sys.stderr.flush()
    os._exit(code)  # what a library would do on its way out can go wrong, and nobody needs it
