"""AudioSocket's TCP connection, in frames, straight from the event loop: a stream and a task that reads it would cost more for
each frame than the frame itself.

Rules. What comes is read a dozen frames at a time, so a peer that floods takes turns with the others. Who opens it asks for the
first frame; a leg then attends to it and is given each as it comes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.audiosocket.frames import Frame, FrameReader, Kind

CLOSING: Final = Seconds(1.0)
_OPTIONS: Final = {  # so it is TCP that tells of a dead peer, within half a minute
    socket.TCP_KEEPIDLE: 15,  # seconds
    socket.TCP_KEEPINTVL: 5,  # seconds
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: 30_000,  # milliseconds that what we sent may stay unacknowledged
    socket.TCP_NODELAY: 1,
}
_MOST_UNSENT: Final = 65_536  # bytes: four seconds of 8 kHz that the peer did not take
_READ: Final = 4_096  # bytes at a time: a dozen frames


class Connection(asyncio.BufferedProtocol):
    """One connection. ``met`` is told when it is there."""

    def __init__(self, met: Callable[[Connection], None]) -> None:
        self._met = met
        self._frames = FrameReader()
        self._buffer = memoryview(bytearray(_READ))
        self._news = asyncio.Event()
        self._lost = asyncio.Event()
        self._ended = False
        self._transport: asyncio.Transport | None = None
        self._heard: Callable[[Frame], None] | None = None
        self._over: Callable[[MediaError | None], None] = lambda _: None

    @property
    def peer(self) -> str:
        """The address it comes from."""
        return str((self._there.get_extra_info("peername") or ("",))[0])

    async def receive(self) -> Frame:
        """Wait for the next frame, before anybody attends. Safe to cancel.

        Raises:
            EOFError: the peer has closed the connection, or the network has.
            MediaError: what came is no frame.
        """
        while (frame := self._frames.next()) is None:
            if self._ended:
                raise EOFError
            self._news.clear()
            await self._news.wait()
        return frame

    def attend(self, heard: Callable[[Frame], None], over: Callable[[MediaError | None], None]) -> None:
        """Give each frame to ``heard`` from now on; then tell ``over`` what was no frame, or ``None`` where the peer is gone."""
        self._heard, self._over = heard, over
        self._give()

    def send(self, frame: Frame) -> bool:
        """Send a frame without waiting; ``False`` where the peer takes nothing any more."""
        if self._there.is_closing() or self._there.get_write_buffer_size() > _MOST_UNSENT:
            return False
        self._there.write(bytes(frame))
        return True

    async def close(self) -> None:
        """Say good-bye and close; idempotent. Not safe to cancel."""
        if self._there.is_closing():
            return
        self.send(Frame(Kind.HANG_UP))
        self._there.close()
        try:
            async with asyncio.timeout(CLOSING):
                await self._lost.wait()
        except TimeoutError:
            self._there.abort()

    @property
    def _there(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def _give(self) -> None:
        """Give what is whole; there is no way back from what is no frame."""
        if self._heard is None:
            self._news.set()
            return
        try:
            while (frame := self._frames.next()) is not None:
                self._heard(frame)
        except MediaError as error:
            self._ended = True
            self._over(error)
        if self._ended:
            self._over(None)

    # The loop's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        connected = transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _OPTIONS.items():
            connected.setsockopt(socket.IPPROTO_TCP, option, value)
        self._met(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 -- asyncio's signature
        """Room for what comes next."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """It has come. What comes behind something that is no frame is thrown away."""
        if not self._ended:
            self._frames.feed(self._buffer[:nbytes])
            self._give()

    def eof_received(self) -> bool:
        """The peer says no more; the connection stays open for our good-bye."""
        self._end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """It is gone."""
        self._lost.set()
        self._end()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._give()
