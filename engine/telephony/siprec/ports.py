"""Pairs of UDP ports for one stream each: RTP on the even one, RTCP on the next (RFC 3550 section 11)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Callable, Iterator
from typing import Final

from engine.core.errors import EngineError

_LARGEST: Final = 2_048  # bytes; a longer datagram is cut, and then is no packet
_AT_ONCE: Final = 32  # datagrams, before the others have their turn
_TRIES: Final = 20  # to find two free ports side by side, where any will do

Arrived = Callable[[bytes, str], None]
"""What is told of a datagram: its octets, and the address it came from."""


class NoPortFree(EngineError):
    """Every pair of the range is taken."""

    code = "ports"


class PortRange:
    """The ports that streams may use; each pair rests as long as possible before it is used again."""

    def __init__(self, host: str, ports: tuple[int, int] | None) -> None:
        """``ports`` are the first and the last; ``None`` = any."""
        self._host = host
        first, last = ports or (0, 0)
        even = range(first + first % 2, last, 2)
        self._next: Iterator[int] = itertools.cycle(even) if ports else itertools.repeat(0)
        self._tries = len(even) if ports else _TRIES

    def open(self, arrived: Arrived) -> Pair:
        """Take a pair.

        Raises:
            NoPortFree: there is none.
        """
        for port in itertools.islice(self._next, self._tries):
            pair = self._pair(port)
            if pair is not None:
                return Pair(*pair, arrived)
        raise NoPortFree("expected two free UDP ports side by side, found none")

    def _pair(self, port: int) -> tuple[socket.socket, socket.socket] | None:
        with contextlib.ExitStack() as stack:
            try:
                sound = stack.enter_context(_bound(self._host, port))
                given = sound.getsockname()[1]
                control = stack.enter_context(_bound(self._host, given + 1)) if given % 2 == 0 else None
            except OSError:
                return None
            if control is None:
                return None
            stack.pop_all()
            return sound, control


class Pair:
    """Two sockets that are read until they are closed. Needs a running loop."""

    def __init__(self, sound: socket.socket, control: socket.socket, arrived: Arrived) -> None:
        self.port: int = sound.getsockname()[1]
        self._sockets = (sound, control)
        self._arrived = arrived
        for one in self._sockets:
            asyncio.get_running_loop().add_reader(one.fileno(), self._read, one)

    def close(self) -> None:
        """Give the ports back; idempotent."""
        for one in self._sockets:
            if one.fileno() >= 0:
                asyncio.get_running_loop().remove_reader(one.fileno())
                one.close()

    def _read(self, one: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                octets, source = one.recvfrom(_LARGEST)
            except OSError:  # nothing more, or word of a port that is gone, which is no business of ours
                return
            self._arrived(octets, source[0])
            if one.fileno() < 0:  # what arrived ended the call
                return


def _bound(host: str, port: int) -> socket.socket:
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    one.setblocking(False)
    try:
        one.bind((host, port))
    except (OSError, OverflowError) as error:
        one.close()
        raise OSError(str(error)) from error
    return one
