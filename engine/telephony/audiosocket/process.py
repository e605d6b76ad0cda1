"""The AudioSocket process: ``python -m engine.telephony.audiosocket.process FD LISTENING``, started by
:mod:`engine.telephony.audiosocket.gateway`.

It inherits the socket it listens on: while a dead process is replaced, Asterisk's connections wait in the kernel. One pump serves
all calls, four times in 20 ms: what it holds back of what a caller says is half of its tick, in the mean, and the engine wakes no
more often, however many callers there are.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import sys
from functools import partial
from typing import Final
from uuid import UUID

from engine.core.precedence import keep_time
from engine.telephony.apart.link import Link, run
from engine.telephony.apart.wire import Frame, Kind, Ready, Told
from engine.telephony.audiosocket.complaints import Complaints
from engine.telephony.audiosocket.connection import CLOSING, Connection
from engine.telephony.audiosocket.line import Line
from engine.telephony.audiosocket.porter import Porter
from engine.telephony.audiosocket.settings import AudioSocketSettings
from engine.telephony.audiosocket.wire import ComesIn

TICK: Final = 0.005  # seconds
_PULSE: Final = 1.0  # seconds between signs of life
_BACKLOG: Final = 512  # connections the system keeps until we come to them; Asterisk waits two seconds


class Exchange:
    """All connections of this process."""

    def __init__(self, settings: AudioSocketSettings, link: Link) -> None:
        self._settings = settings
        self._link = link
        self._porter = Porter(settings, Complaints(self._say))
        self._numbers = itertools.count(1, 2)
        self._lines: dict[int, Line] = {}
        self._connected: set[asyncio.Task[None]] = set()
        self._untold: list[bytes] = []
        self._news = asyncio.Event()

    def met(self, connection: Connection) -> None:
        """Take a connection on."""
        task = asyncio.create_task(self._attend(connection), name="audiosocket")
        self._connected.add(task)
        task.add_done_callback(self._connected.discard)

    def obey(self, frame: Frame) -> None:
        """Do what the engine says; a call that is over already is left alone."""
        line = self._lines.get(frame.call)
        if line is None:
            return
        if frame.kind is Kind.SOUND:
            line.send(frame.payload, asyncio.get_running_loop().time())
        elif frame.kind is Kind.FLUSH:
            line.flush()
        elif frame.kind is Kind.HANG_UP:
            line.hang_up()

    async def pump(self) -> None:
        """Let callers hear, and the engine hear them, all of them at once; without an end."""
        loop = asyncio.get_running_loop()
        due = pulse = loop.time()
        while True:
            if not self._lines and not self._untold:
                await self._something()
            due = max(due + TICK, loop.time())
            await asyncio.sleep(due - loop.time())
            for line in self._lines.values():
                line.beat(due)
            if due >= pulse:
                pulse = due + _PULSE
                self._untold.append(bytes(Frame(Kind.PULSE)))
            self._tell_all()

    async def close(self) -> None:
        """Hang up on everybody. Not safe to cancel."""
        for task in self._connected:
            task.cancel()
        if self._connected:
            await asyncio.wait(self._connected, timeout=CLOSING)

    async def _something(self) -> None:
        """Wait until there is something to do, or a sign of life is due."""
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PULSE):
                await self._news.wait()

    async def _attend(self, connection: Connection) -> None:
        try:
            with self._porter.counted():
                name = await self._porter.let_in(connection)
                if name is not None:
                    await self._carry(connection, name)
        finally:
            await connection.close()

    async def _carry(self, connection: Connection, name: UUID) -> None:
        number = next(self._numbers)
        self._say(ComesIn(connection.peer, str(name)), number)
        line = self._lines[number] = Line(number, connection, self._tell, self._settings)
        try:
            await line.over.wait()
        finally:
            del self._lines[number]

    def _say(self, told: Told, number: int = 0) -> None:
        self._tell(told.frame(number))

    def _tell(self, frame: Frame) -> None:
        """Tell the engine, with whatever else there is to be told; sound is dropped where it takes nothing any more."""
        if frame.kind is not Kind.SOUND or self._link.hears(len(self._lines)):
            self._untold.append(bytes(frame))
            self._news.set()

    def _tell_all(self) -> None:
        if self._untold:
            self._link.write(b"".join(self._untold))
            self._untold.clear()


async def serve(theirs: socket.socket, listening: socket.socket) -> int:
    """Be the AudioSocket process; its exit code."""
    loop = asyncio.get_running_loop()
    link = Link()
    await loop.connect_accepted_socket(lambda: link, theirs)
    settings = AudioSocketSettings.from_json((await link.frames.get()).payload.decode())
    exchange = Exchange(settings, link)
    server = await loop.create_server(lambda: Connection(exchange.met), sock=listening, backlog=_BACKLOG)
    try:
        link.tell(Ready(listening.getsockname()[1]).frame())
        link.obey(exchange.obey)
        await link.work(exchange.pump())
    finally:
        server.close()
        await exchange.close()
    return 0


def main() -> None:
    """Take the descriptors from the command line."""
    run(lambda theirs: serve(theirs, socket.socket(fileno=int(sys.argv[2]))), partial(keep_time, beat=True))


if __name__ == "__main__":
    main()
