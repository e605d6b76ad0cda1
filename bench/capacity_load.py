"""Keeps many calls going in real time on one core, and remembers everything that came back, and when.

Made to be light, because it shares the machine with what it measures: no event loop, no work on a frame but one ``send`` or
``recv`` on a bare socket. What is sent was made beforehand, what came is taken apart afterwards. Arrivals carry the kernel's
own time, so that the load's own lateness is not taken for the engine's.

A call's script is fixed: it talks at its moments whatever the engine does. Times are seconds of ``time.monotonic``.
"""

from __future__ import annotations

import contextlib
import heapq
import math
import select
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from bench.capacity_stamps import Codes
from engine.core.audio import FRAME
from engine.core.precedence import keep_time

_STAMPED = 35  # SO_TIMESTAMPNS, which the socket module does not name
_TIMESPEC = struct.Struct("@ll")
_ROOM = socket.CMSG_SPACE(_TIMESPEC.size)
_MOST = 65_536  # bytes at a time

Arrival = tuple[float, bytes]


@dataclass(slots=True)
class Script:
    """What one caller sends, frame by frame, and when the voice in it ends."""

    frames: Codes
    """Mu-law, shape ``(n, 160)``."""

    sentences: list[tuple[int, int]]
    """First frame with a voice, and the first after it."""


class Line(ABC):
    """One call, as its caller's end sees it. A door says how it is opened, written and read."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.sent: list[float] = []
        """When each frame was sent."""
        self.arrivals: list[Arrival] = []
        self.placed = 0.0
        self.opened = 0.0
        """When the engine answered; 0 while it has not."""
        self.closed = 0.0
        """When the engine ended it; 0 while it has not."""

    @property
    def live(self) -> bool:
        """Whether the call goes on."""
        return self.opened > 0 and not self.closed

    @property
    def frame(self) -> int:
        """The next frame of the script."""
        return len(self.sent)

    @abstractmethod
    def open(self) -> list[socket.socket]:
        """Place the call; the sockets to listen to."""

    @abstractmethod
    def send(self) -> None:
        """Send the next frame."""

    @abstractmethod
    def receive(self, readable: socket.socket) -> None:
        """Take what has come."""

    @abstractmethod
    def hang_up(self) -> None:
        """End the call."""

    @abstractmethod
    def heard(self) -> Iterator[tuple[float, Codes]]:
        """What came, frame by frame: when, and its mu-law codes."""


class StreamLine(Line):
    """A call over TCP. ``hello`` opens it and ``messages`` are its frames as they go over the wire."""

    def __init__(self, script: Script, address: tuple[str, int], hello: Sequence[bytes], good_bye: bytes) -> None:
        super().__init__(script)
        self._address = address
        self._hello, self._good_bye = hello, good_bye
        self._messages = self.wrapped(script.frames)
        self._socket: socket.socket | None = None
        self._unsent = b""

    @abstractmethod
    def wrapped(self, frames: Codes) -> list[bytes]:
        """Each frame as a message."""

    def open(self) -> list[socket.socket]:
        """Connect, and say hello: blocking, in microseconds on loopback."""
        self._socket = socket.create_connection(self._address, timeout=5.0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        timed(self._socket)
        for octets in self._hello:
            self._socket.sendall(octets)
        self._socket.setblocking(False)
        return [self._socket]

    def send(self) -> None:
        """Write the next message; what the peer does not take waits for the next one."""
        octets = self._unsent + self._messages[self.frame]
        self.sent.append(time.monotonic())
        with contextlib.suppress(OSError):
            octets = octets[self._sock.send(octets) :]
        self._unsent = octets

    def receive(self, readable: socket.socket) -> None:
        """Keep what came with its time."""
        octets, at = taken(readable)
        if octets:
            self.arrivals.append((at, octets))
        else:
            self.closed = at

    def hang_up(self) -> None:
        """Say good-bye and close."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.send(self._good_bye)
            self._socket.close()

    @property
    def _sock(self) -> socket.socket:
        assert self._socket is not None
        return self._socket


def timed(listening: socket.socket) -> None:
    """Let the kernel note when each piece comes in."""
    listening.setsockopt(socket.SOL_SOCKET, _STAMPED, 1)


def taken(readable: socket.socket) -> tuple[bytes, float]:
    """Read what has come, nothing where the peer has gone, and when the kernel got it, as ``time.monotonic`` would have said."""
    try:
        octets, ancillary, _, _ = readable.recvmsg(_MOST, _ROOM)
    except OSError:
        return b"", time.monotonic()
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == _STAMPED:
            seconds, nanoseconds = _TIMESPEC.unpack(value)
            return octets, float(seconds + nanoseconds / 1e9 - (time.time() - time.monotonic()))
    return octets, time.monotonic()


_Due = tuple[float, int, "Line | Callable[[], None]"]  # when, a number that no other one has, and what


@dataclass(slots=True)
class Load:
    """Runs calls. ``lateness`` tells how well this machine let it keep time; seconds by which frames were sent late."""

    lines: Sequence[Line]

    visitors: Sequence[tuple[float, Line]] = ()
    """Calls that are placed beside the others after so many seconds, say nothing, and wait for what the engine does to them."""

    moments: Sequence[tuple[float, Callable[[], None]]] = ()
    """What else is to be done after so many seconds, if it takes no more than a millisecond or two."""

    lateness: list[float] = field(default_factory=list)
    began: float = 0.0
    _poll: select.epoll = field(default_factory=select.epoll)
    _owners: dict[int, tuple[socket.socket, Line]] = field(default_factory=dict)

    def run(self, length: float, rate: float) -> None:
        """Open the calls at ``rate`` a second, keep each on for ``length`` seconds, hang up. In real time, where we
        may, as the engine is: callers that are late would seem to be its fault.
        """
        with ThreadPoolExecutor(1, initializer=keep_time) as caller:
            caller.submit(self._run, length, rate).result()

    def _run(self, length: float, rate: float) -> None:
        self.began = time.monotonic()
        apart = FRAME / max(1, len(self.lines))  # so that no two calls send at one moment
        calls = [(number / rate + number * apart, line) for number, line in enumerate(self.lines)]
        ends = {id(line): at + length for at, line in calls}
        due: list[tuple[float, Line | Callable[[], None]]] = [*calls, *self.visitors, *self.moments]
        plan: list[_Due] = [(at, number, what) for number, (at, what) in enumerate(due)]
        heapq.heapify(plan)
        try:
            self._follow(plan, ends)
        finally:
            for line in (*self.lines, *(line for _, line in self.visitors)):
                line.hang_up()
            self._poll.close()

    def _follow(self, plan: list[_Due], ends: Mapping[int, float]) -> None:
        while plan:
            now = time.monotonic() - self.began
            if plan[0][0] > now:
                self._listen(plan[0][0] - now)
                continue
            due, number, what = heapq.heappop(plan)
            if not isinstance(what, Line):
                what()
            elif due < ends.get(id(what), math.inf):
                self._attend(what, now - due)
                if id(what) in ends:
                    heapq.heappush(plan, (due + FRAME, number, what))
            else:
                self._forget(what)

    def _attend(self, line: Line, late: float) -> None:
        """Place the call, or send its next frame."""
        if not line.placed:
            self._open(line)
        elif line.live:
            self.lateness.append(late)
            line.send()

    def _open(self, line: Line) -> None:
        line.placed = time.monotonic()
        for listening in line.open():
            self._owners[listening.fileno()] = listening, line
            self._poll.register(listening, select.EPOLLIN)

    def _forget(self, line: Line) -> None:
        for descriptor in [number for number, (_, owner) in self._owners.items() if owner is line]:
            self._poll.unregister(descriptor)
            del self._owners[descriptor]
        line.hang_up()

    def _listen(self, within: float) -> None:
        for descriptor, _ in self._poll.poll(within, 512):
            if descriptor not in self._owners:  # its call ended by what came before this
                continue
            readable, line = self._owners[descriptor]
            line.receive(readable)
            if line.closed:
                self._forget(line)


def script(carrier: Codes, sentence: Codes, first: float, every: float) -> Script:
    """A caller's frames: ``carrier`` with ``sentence`` (mu-law frames both) in it from ``first`` on, every so many seconds."""
    frames = carrier.copy()
    said = []
    for at in np.arange(first, len(carrier) * FRAME - len(sentence) * FRAME, every):
        begins = round(at / FRAME)
        frames[begins : begins + len(sentence)] = sentence
        said.append((begins, begins + len(sentence)))
    return Script(frames, said)
