"""The SIP process: ``python -m engine.telephony.sip.process FD``, started by :mod:`engine.telephony.sip.gateway`.

It ends when the engine's end of the socket pair closes, when the stack dies, and when the engine does not read: what the network
brings is never kept for long. One pump serves all calls.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Final

from engine.core.errors import ConfigError
from engine.core.hardened import harden
from engine.core.precedence import keep_time
from engine.telephony.sip import wire
from engine.telephony.sip.settings import SipSettings
from engine.telephony.sip.stack import Stack
from engine.telephony.sip.wire import Frame, FrameReader, Kind

TICK: Final = 0.020  # seconds
_PULSE: Final = 50  # ticks between signs of life
_SOUND_KEPT: Final = 32_768  # bytes a call, two seconds, that the engine may leave unread; then sound is dropped
_MOST_UNREAD: Final = 16 * 1024 * 1024  # bytes of everything: the engine is gone


class Link(asyncio.Protocol):
    """The end of the socket pair that is ours."""

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


async def pump(stack: Stack, link: Link) -> None:
    """Carry what the callers say to the engine, every 20 ms, all of them at once."""
    loop = asyncio.get_running_loop()
    due, tick = loop.time(), 0
    while True:
        due = max(due + TICK, loop.time())
        await asyncio.sleep(due - loop.time())
        tick += 1
        batch = [bytes(Frame(Kind.PULSE))] if tick % _PULSE == 0 else []
        lines = stack.lines
        heard = [bytes(Frame(Kind.SOUND, line.number, sound)) for line in lines if (sound := line.heard())]
        if link.unread <= _SOUND_KEPT * len(lines):
            batch += heard
        if batch:
            link.write(b"".join(batch))


async def serve(theirs: socket.socket) -> int:
    """Be the SIP process; its exit code."""
    link = Link()
    await asyncio.get_running_loop().connect_accepted_socket(lambda: link, theirs)
    settings = SipSettings.from_json((await link.frames.get()).payload.decode())
    stack = Stack(settings, link.tell, link.over.set)
    try:
        link.tell(wire.Ready(await stack.open()).frame())
        link.obey(stack.take)
        await _work(stack, link)
    except ConfigError as error:
        link.tell(wire.Failed(str(error)).frame())
        return 1
    finally:
        await stack.close()
    return 0


async def _work(stack: Stack, link: Link) -> None:
    pumping = asyncio.create_task(pump(stack, link))
    pumping.add_done_callback(lambda _: link.over.set())  # a bug of ours must not leave a deaf process
    await link.over.wait()
    pumping.cancel()


def _gag_the_stack() -> None:
    """Keep stderr for ourselves: libre prints there whatever a stranger sends it, as often as he likes."""
    ours = os.fdopen(os.dup(2), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    sys.stderr = ours
    faulthandler.enable(ours)


def main() -> None:
    """Take the descriptor from the command line. Signals to the engine are not ours: it closes the socket when it is done."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    harden()
    _gag_the_stack()
    keep_time(beat=True)
    theirs = socket.socket(fileno=int(sys.argv[1]))
    theirs.setblocking(False)
    code = asyncio.run(serve(theirs))
    sys.stderr.flush()
    os._exit(code)  # what the stack would do on its way out can go wrong, and nobody needs it


if __name__ == "__main__":
    main()
