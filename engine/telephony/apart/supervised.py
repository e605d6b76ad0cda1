"""A door's process, kept alive: started, watched, buried, started anew.

Rules. A first start that fails is the operator's to mend. A process that dies later is replaced after a pause that doubles with
each death in a row. One that gives no sign of life for ``SILENT`` is killed, which is the same. What we say never waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from engine.core.errors import ConfigError
from engine.core.passing import PassingFolder
from engine.core.units import Seconds
from engine.telephony.apart.wire import Failed, Frame, FrameReader, Kind, Ready, Said

_log = structlog.get_logger(__name__)
SILENT: Final = Seconds(6.0)  # it gives a sign of life every second
_STARTING: Final = Seconds(15.0)
_STOPPING: Final = Seconds(3.0)  # to hang up on everybody
_PAUSE: Final = Seconds(0.2)  # before a dead process is replaced; doubles with each death in a row
_LONGEST_PAUSE: Final = Seconds(30.0)
_STEADY: Final = Seconds(60.0)  # a process that lived so long did not die in a row
_UNTAKEN: Final = 1_048_576  # bytes the process may leave unread; then sound is dropped


class _Link(asyncio.Protocol):
    """The socket pair's end of one process."""

    def __init__(self, take: Callable[[Frame], None]) -> None:
        self.over = asyncio.Event()
        self.heard_at = 0.0
        self._take = take
        self._reader = FrameReader()
        self._unsaid: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self.heard_at = asyncio.get_running_loop().time()

    def data_received(self, data: bytes) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        for frame in self._reader.feed(data):
            self._take(frame)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.over.set()

    def tell(self, frame: Frame) -> None:
        """Say it, with whatever else is said in this turn of the loop, since the frames of all calls come together; sound is
        dropped where the process takes nothing any more.
        """
        if self._transport is None or self._transport.is_closing():
            return
        if frame.kind is not Kind.SOUND or self._transport.get_write_buffer_size() < _UNTAKEN:
            if not self._unsaid:
                asyncio.get_running_loop().call_soon(self._say)
            self._unsaid.append(bytes(frame))

    def close(self) -> None:
        """Close it: the process hangs up and ends."""
        if self._transport is not None:
            self._say()
            self._transport.close()

    def _say(self) -> None:
        said, self._unsaid = b"".join(self._unsaid), []
        if said and self._transport is not None and not self._transport.is_closing():
            self._transport.write(said)


@dataclass(frozen=True, slots=True)
class _Running:
    process: asyncio.subprocess.Process
    link: _Link


@dataclass(frozen=True, slots=True)
class Program:
    """What is run."""

    door: str
    """For the log: ``sip``."""

    module: str
    """Run with ``-m``; its arguments are descriptors: of its end of the socket pair, then those of ``passed``."""

    settings: Callable[[int], str]
    """What it is told when it starts; takes the port it had before, 0 at first."""

    passed: tuple[int, ...] = ()
    """Descriptors it inherits."""


class Supervised:
    """The process. Open it, and close it; in between it may die and come again."""

    def __init__(self, program: Program, take: Callable[[Frame], None], lost: Callable[[], None]) -> None:
        """``take`` gets what it says of calls and trunks; ``lost`` is called when it has died, and all its calls with it."""
        self.deaths = 0
        """So far."""
        self._program = program
        self._port = 0
        self._take_call = take
        self._lost = lost
        self._ready: asyncio.Future[int] | None = None
        self._running: _Running | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._folder = PassingFolder(program.door)  # a stack leaves things when it is killed

    async def open(self) -> int:
        """Start it and wait until it listens; the port. Not safe to cancel.

        Raises:
            ConfigError: it can't; it says why.
        """
        running = await self._start()
        try:
            self._port = await self._started(running)
        except ConfigError:
            await self.close()
            raise
        self._keeper = asyncio.create_task(self._keep(running), name=f"keeper of the {self._program.door} process")
        return self._port

    async def close(self) -> None:
        """Let it hang up on everybody, and stop it. Not safe to cancel."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._running is not None:
            await self._stop(self._running)
        self._folder.close()
        self._lost()

    @property
    def pid(self) -> int | None:
        """While there is one."""
        return self._running.process.pid if self._running is not None else None

    def tell(self, frame: Frame) -> None:
        """Say something; to a dead process it is said in vain."""
        if self._running is not None:
            self._running.link.tell(frame)

    async def _keep(self, running: _Running) -> None:
        """Wait for the process to die, and start another one; for ever."""
        in_a_row = 0
        while True:
            born = asyncio.get_running_loop().time()
            await self._watch(running)
            in_a_row = 1 if asyncio.get_running_loop().time() - born > _STEADY else in_a_row + 1
            self.deaths += 1
            code = await self._bury(running)
            _log.error(f"{self._program.door}.process_died", code=code, in_a_row=in_a_row)
            self._lost()
            await asyncio.sleep(min(_LONGEST_PAUSE, _PAUSE * 2 ** (in_a_row - 1)))
            running = await self._start()
            try:
                await self._started(running)
                _log.warning(f"{self._program.door}.process_started", pid=running.process.pid)
            except ConfigError as error:
                _log.error(f"{self._program.door}.process_fails", error=str(error))

    async def _start(self) -> _Running:
        ours, theirs = socket.socketpair()
        with theirs:
            passed = (theirs.fileno(), *self._program.passed)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._program.module, *map(str, passed)),
                pass_fds=(*passed, self._folder.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                env={**os.environ, "TMPDIR": str(self._folder.path)},
            )
        ours.setblocking(False)
        link = _Link(self._take)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: link, ours)
        self._ready = asyncio.get_running_loop().create_future()
        self._running = _Running(process, link)
        link.tell(Frame(Kind.START, payload=self._program.settings(self._port).encode()))
        return self._running

    async def _started(self, running: _Running) -> int:
        """Wait until it listens; its port.

        Raises:
            ConfigError: it said why it can't, or died of it.
        """
        assert self._ready is not None
        died: asyncio.Task[Any] = asyncio.create_task(running.link.over.wait())
        try:
            wanted: list[asyncio.Future[Any]] = [self._ready, died]
            await asyncio.wait(wanted, timeout=_STARTING, return_when=asyncio.FIRST_COMPLETED)
            if self._ready.done():
                return self._ready.result()
            found = "it dead: see the lines above" if died.done() else "nothing"
            await self._stop(running)
            raise ConfigError(f"expected the {self._program.door} process to listen within {_STARTING:g} s, found {found}")
        finally:
            died.cancel()

    async def _watch(self, running: _Running) -> None:
        """Wait until the process is dead; kill it where it is silent twice in a row, for we may have been late ourselves."""
        missed = 0
        while not running.link.over.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await running.link.over.wait()
            silent = asyncio.get_running_loop().time() - running.link.heard_at > SILENT
            missed = missed + 1 if silent else 0
            if missed == 2:
                _log.error(f"{self._program.door}.process_silent", pid=running.process.pid)
                running.process.kill()

    async def _bury(self, running: _Running) -> int:
        self._running = None
        running.link.close()
        with contextlib.suppress(ProcessLookupError):
            running.process.kill()  # its socket is closed: whatever it still does, nobody hears
        return await running.process.wait()

    async def _stop(self, running: _Running) -> None:
        self._running = None
        running.link.close()
        try:
            async with asyncio.timeout(_STOPPING):
                await running.process.wait()
        except TimeoutError:
            await self._bury(running)

    def _take(self, frame: Frame) -> None:
        match frame.kind:
            case Kind.READY | Kind.FAILED:
                self._settle(frame)
            case Kind.SAID:
                said = Said.of(frame)
                _log.warning(said.event, level_there=said.level, detail=said.detail)
            case Kind.PULSE:
                pass  # the link has noted that it lives
            case _:
                self._take_call(frame)

    def _settle(self, frame: Frame) -> None:
        if self._ready is None or self._ready.done():
            return
        if frame.kind is Kind.READY:
            self._ready.set_result(Ready.of(frame).port)
        else:
            self._ready.set_exception(ConfigError(Failed.of(frame).found))
