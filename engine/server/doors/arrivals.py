"""What happens to a connection before it is a request: it is counted, shakes hands where there is TLS, and must not dawdle.

uvicorn alone waits for ever for the first byte of a request, and counts connections only when they have made one; so five hundred
sockets that say nothing would be kept. Here a connection is closed that is one too many, of a network that is not named, or has
not made its request, or its handshake, within ``GREETING``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from engine.core.units import Seconds

GREETING: Final = Seconds(10.0)  # for a TLS handshake, and again for a whole request
_BITE: Final = 4_096  # bytes: a dozen frames of a call, some 700 of a flood
_log = structlog.get_logger(__name__)
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"
_FORBIDDEN: Final = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """Who may come in, and how many."""

    admits: Callable[[str], bool] = lambda _: True
    """Whether a peer at this address may."""

    connections: int = 1_000
    """Open at once, calls and all."""

    per_peer: int = 1_000
    """Of one address."""

    tls: ssl.SSLContext | None = None


class Arrivals:
    """Makes the first protocol of each connection."""

    def __init__(self, entry: Entry, state: ServerState, http: Callable[[], asyncio.Protocol]) -> None:
        self._entry, self._state, self._http = entry, state, http
        self._shaking: dict[asyncio.Task[None], str] = {}  # hands, by the peer's address

    def __call__(self) -> asyncio.Protocol:
        """Meet one."""
        return _Arrival(self)

    def take(self, arrival: _Arrival, transport: asyncio.Transport) -> None:
        """Let a connection in, or answer it and close it."""
        peer = _peer(transport)
        _in_small_bites(transport)
        answer = self._refusal(peer)
        if answer is not None:
            _log.warning("door.closed", reason="address" if answer is _FORBIDDEN else "too many", open=self._open)
            if self._entry.tls is None:
                transport.write(answer)
            transport.close()
        elif self._entry.tls is None:
            self._hand_over(transport, b"")
        else:
            transport.pause_reading()
            task = asyncio.create_task(self._shake(arrival, transport, self._entry.tls))
            self._shaking[task] = peer
            task.add_done_callback(lambda done: self._shaking.pop(done, None))

    async def close(self) -> None:
        """Shake no more hands. Not safe to cancel."""
        shaking = list(self._shaking)
        for task in shaking:
            task.cancel()
        await asyncio.gather(*shaking, return_exceptions=True)

    @property
    def _open(self) -> int:
        return len(self._shaking) + len(self._state.connections)

    def _refusal(self, peer: str) -> bytes | None:
        if not self._entry.admits(peer):
            return _FORBIDDEN
        served = (getattr(one, "client", None) for one in self._state.connections)
        theirs = [*self._shaking.values(), *(client[0] for client in served if client)].count(peer)
        return _BUSY if self._open >= self._entry.connections or theirs >= self._entry.per_peer else None

    async def _shake(self, arrival: _Arrival, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        """Safe to cancel: the connection is then closed."""
        loop = asyncio.get_running_loop()
        try:
            wrapped = await loop.start_tls(transport, arrival, tls, server_side=True, ssl_handshake_timeout=GREETING)
        except OSError as error:  # the handshake's, the network's, or its time ran out
            _log.warning("door.closed", reason="handshake", error=type(error).__name__)
            return
        if wrapped is not None:
            self._hand_over(wrapped, bytes(arrival.early))

    def _hand_over(self, transport: asyncio.Transport, early: bytes) -> None:
        protocol = self._http()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if early:
            protocol.data_received(early)


class _Arrival(asyncio.Protocol):
    """A connection until it is the HTTP server's."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self.early = bytearray()
        """What came in the same breath as the end of the handshake."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it."""
        self._arrivals.take(self, cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.early += data


class PromptHttp(H11Protocol):
    """uvicorn's, with an end to its patience: a request must be whole in time, or the connection is closed."""

    _late: asyncio.TimerHandle | None = None
    _upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Wait for a request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """See whether it is whole."""
        super().data_received(data)
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From here on the leg is in charge of time."""
        self._stop()
        super().handle_websocket_upgrade(event)
        self._upgraded = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        waiting = self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self._upgraded
        if not waiting:
            self._stop()
        elif self._late is None:
            self._late = self.loop.call_later(GREETING, self._too_late)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        if self.cycle is None or self.cycle.response_complete or self.conn.their_state is h11.SEND_BODY:
            self.transport.close()


def _in_small_bites(transport: asyncio.Transport) -> None:
    """Read so little at once that a flood of tiny frames can't hold up the loop; asyncio's 256 KiB are 40,000 of them."""
    if hasattr(transport, "max_size"):
        transport.max_size = _BITE


def _peer(transport: asyncio.Transport) -> str:
    found: Any = transport.get_extra_info("peername")
    return str(found[0]) if found else ""
