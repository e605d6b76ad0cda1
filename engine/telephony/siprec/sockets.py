"""The sockets of signalling: SIP over UDP and TCP on one port, over TLS on the next.

A stranger's request is answered with 403 over UDP, and a stranger's connection is closed. What is no SIP is dropped; over TCP it
ends the connection, since nobody knows where the next message would begin.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Collection
from functools import partial
from typing import Final

from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.siprec.message import MessageStream, Request, Response, read_message
from engine.telephony.siprec.signalling import Outgoing, Peer, refusal

MOST_CONNECTIONS: Final = 256  # an SBC has one or two
FIRST_MESSAGE: Final = Seconds(10.0)  # how long a connection may say nothing, or half of something
_READ: Final = 16_384  # bytes
_MOST_UNSENT: Final = 131_072  # bytes that a peer did not take

Heard = Callable[[Request | Response, Peer], list[Outgoing]]
"""What to answer to a message."""


class SipSockets:
    """All transports. ``admits`` says of an address whether it may call."""

    def __init__(self, heard: Heard, admits: Callable[[str], bool]) -> None:
        self._heard = heard
        self._admits = admits
        self._udp: asyncio.DatagramTransport | None = None
        self._servers: list[asyncio.Server] = []
        self._connections: dict[Peer, asyncio.StreamWriter] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, host: str, port: int, transports: Collection[str], tls: ssl.SSLContext | None) -> dict[str, int]:
        """Listen; the port of each transport. Not safe to cancel.

        Raises:
            OSError: an address can't be taken; nothing is open then.
        """
        try:
            return await self._open(host, port, transports, tls)
        except OSError:
            await self.close()
            raise

    async def _open(self, host: str, port: int, transports: Collection[str], tls: ssl.SSLContext | None) -> dict[str, int]:
        taken: dict[str, int] = {}
        if "TCP" in transports:
            taken["TCP"] = await self._serve("TCP", host, port)
        if "UDP" in transports:
            address = host, taken.get("TCP", port)
            loop = asyncio.get_running_loop()
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._datagram), local_addr=address)
            taken["UDP"] = self._udp.get_extra_info("sockname")[1]
        if tls is not None:
            taken["TLS"] = await self._serve("TLS", host, port + 1 if port else 0, tls)
        return taken

    async def _serve(self, transport: str, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        shaking = FIRST_MESSAGE if tls is not None else None
        server = await asyncio.start_server(
            partial(self._connected, transport), host, port, ssl=tls, ssl_handshake_timeout=shaking
        )
        self._servers.append(server)
        number: int = server.sockets[0].getsockname()[1]
        return number

    def send(self, outgoing: list[Outgoing]) -> None:
        """Send messages; never waits. What can't be sent is lost, as on any network."""
        for message in outgoing:
            if not message.peer.reliable:
                if self._udp is not None and not self._udp.is_closing():
                    self._udp.sendto(message.octets, (message.peer.host, message.peer.port))
            elif (writer := self._connections.get(message.peer)) is not None:
                writer.write(message.octets)
                if writer.transport.get_write_buffer_size() > _MOST_UNSENT:
                    writer.transport.abort()

    async def close(self) -> None:
        """Hang up on everybody. Not safe to cancel."""
        for server in self._servers:
            server.close()
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._udp is not None:
            self._udp.close()
            await asyncio.sleep(0)  # what was sent last goes out, and the socket is closed

    def _datagram(self, octets: bytes, peer: Peer) -> None:
        try:
            message = read_message(octets)
        except MediaError:
            return
        if self._admits(peer.host):
            self.send(self._heard(message, peer))
        elif isinstance(message, Request) and message.method != "ACK":
            self.send([refusal(message, peer, 403)])

    async def _connected(self, transport: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # a server's callback runs in one
        self._tasks.add(task)
        host, port = writer.get_extra_info("peername")[:2]
        peer = Peer(transport, host, port)
        try:
            if self._admits(host) and len(self._connections) < MOST_CONNECTIONS:
                self._connections[peer] = writer
                await self._converse(reader, peer)
        except (MediaError, OSError, TimeoutError):
            pass
        finally:
            self._connections.pop(peer, None)
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, peer: Peer) -> None:
        """Answer until the peer closes; a connection may rest between messages, but not before the first nor within one."""
        stream, spoke = MessageStream(), False
        while True:
            async with asyncio.timeout(None if spoke and not stream.begun else FIRST_MESSAGE):
                octets = await reader.read(_READ)
            if not octets:
                return
            stream.feed(octets)
            while (message := stream.next()) is not None:
                spoke = True
                self.send(self._heard(message, peer))
            await asyncio.sleep(0)  # a peer that floods takes turns with the others


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, arrived: Callable[[bytes, Peer], None]) -> None:
        self._arrived = arrived

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._arrived(data, Peer("UDP", addr[0], addr[1]))
