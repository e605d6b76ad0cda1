"""What the WebSocket doors share: the socket they talk through, and a leg whose reader hears it.

Rules. One task reads, from the first message to the end; the driver only takes from the inbox. What the peer does wrong ends its
own call with ``Gone("media")`` and nothing else; the peer is told what was expected, in the socket's last words, and the log what
was found. A peer that does not take what it is sent within ``STALLED`` is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import IntEnum
from typing import ClassVar, Final, Protocol, TypeVar

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from engine.core.audio import AudioFrame
from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.handover import Handover
from engine.telephony.inbox import Inbox
from engine.telephony.leg import Incoming
from engine.telephony.rate import MessageRate

_log = structlog.get_logger(__name__)
LEAD: Final = Seconds(0.060)  # sent ahead of the caller's time: three frames cover the jitter of a loaded machine
T = TypeVar("T")
STALLED: Final = Seconds(2.0)
GREETING: Final = Seconds(10.0)  # how long a peer that has connected may take to say who it is


_LONGEST_REASON: Final = 120  # bytes; a close frame holds 123 (RFC 6455, 5.5)


class SocketClosed(Exception):
    """The peer has closed the socket, or its network has."""


class Goodbye(IntEnum):
    """Why we close a socket (RFC 6455, 7.4.1)."""

    NORMAL = 1000
    REFUSED = 1008
    """Policy violation: the wrong token, or messages that are not the dialect's."""


class MessageSocket(Protocol):
    """A WebSocket, whatever library it comes from."""

    async def receive(self) -> str | bytes:
        """Wait for the next message.

        Raises:
            SocketClosed: there will be none.
        """

    async def send(self, message: str | bytes) -> None:
        """Send a message.

        Raises:
            SocketClosed: nobody is there.
        """

    async def close(self, code: int = Goodbye.NORMAL, reason: str = "") -> None:
        """Close it, saying why; idempotent."""


class AsgiSocket:
    """The socket of a FastAPI or Starlette server; the route has accepted it."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> str | bytes:
        """See :class:`MessageSocket`."""
        try:
            message = await self._websocket.receive()
        except RuntimeError as error:  # Starlette's, when it was closed from our side
            raise SocketClosed from error
        if message["type"] == "websocket.disconnect":
            raise SocketClosed
        text = message.get("text")
        return str(text) if text is not None else bytes(message["bytes"])

    async def send(self, message: str | bytes) -> None:
        """See :class:`MessageSocket`."""
        try:
            if isinstance(message, str):
                await self._websocket.send_text(message)
            else:
                await self._websocket.send_bytes(message)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise SocketClosed from error

    async def close(self, code: int = Goodbye.NORMAL, reason: str = "") -> None:
        """See :class:`MessageSocket`."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._websocket.close(code, _cut(reason))


class SocketLeg(ABC):
    """A leg over a WebSocket. A dialect says how messages are understood and written."""

    real_time = True
    lead = LEAD
    dialect: ClassVar[str]
    """What the peer should have spoken, in words that it may be told."""

    def __init__(
        self,
        socket: MessageSocket,
        facts: CallFacts,
        inbox: Inbox,
        handover: Handover | None = None,
        unread: Sequence[str | bytes] = (),
    ) -> None:
        """``unread`` messages were received already, and are understood before the next."""
        self.facts = facts
        self._socket = socket
        self._inbox = inbox
        self._handover = handover
        self._rate = MessageRate(inbox.now)
        self._reader = asyncio.create_task(self._read(unread), name=f"reader of {facts.id}")

    @abstractmethod
    def _understand(self, message: str | bytes) -> None:
        """Put what a message brings into the inbox.

        Raises:
            MediaError: it is not what was agreed.
        """

    @abstractmethod
    def _sound(self, frame: AudioFrame) -> str | bytes | None:
        """Write a frame as the peer wants it, or nothing where it wants none now."""

    @abstractmethod
    def _forget(self) -> str:
        """Write the order to forget what was sent and not yet played."""

    def _passing_on(self, destination: str, context: Mapping[str, str]) -> str | None:  # noqa: ARG002 -- for dialects that can
        """Write what tells the peer where the call goes, where the dialect has a message for it."""
        return self._ending()

    def _ending(self) -> str | None:
        """Write what ends the call, where closing the socket is not enough."""
        return None

    async def receive(self) -> Incoming:
        """See :class:`engine.telephony.leg.Leg`. Safe to cancel."""
        return await self._inbox.receive()

    def deliver(self, to: Callable[[Incoming], None]) -> None:
        """See :class:`engine.telephony.leg.Delivering`."""
        self._inbox.deliver(to)

    async def send(self, frame: AudioFrame) -> None:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        await self._send(self._sound(frame))

    async def flush(self) -> None:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        await self._send(self._forget())

    async def transfer(self, destination: str, context: Mapping[str, str]) -> bool:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        if self._inbox.closed:
            return False
        if self._handover is not None:
            await self._handover(self.facts, destination, context)
        await self._send(self._passing_on(destination, context))
        await self._close("transferred", context.get("reason", ""))
        return True

    async def hang_up(self) -> None:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        await self._send(self._ending())
        await self._close("ended")

    async def refuse(self, why: str) -> None:
        """End a call that can't be taken, and tell the peer why. Not safe to cancel."""
        await self._close("refused", why, Goodbye.REFUSED)

    async def _send(self, message: str | bytes | None) -> None:
        if message is None or self._inbox.closed:
            return
        try:
            async with asyncio.timeout(STALLED):
                await self._socket.send(message)
        except SocketClosed:
            await self._close("hung_up")
        except TimeoutError:
            await self._close("stalled")

    async def _read(self, unread: Sequence[str | bytes]) -> None:
        try:
            for message in unread:
                self._understand(message)
            while not self._inbox.closed:
                message = await self._socket.receive()
                self._rate.take(self._inbox.now)
                self._inbox.alive()
                self._understand(message)
                await asyncio.sleep(0)  # a peer that floods takes turns with the others
        except SocketClosed:
            pass
        except MediaError as error:
            self._inbox.end(MediaError.code, error)
            _log.warning("socket.fault", call=self.facts.id, door=self.facts.door, code=error.code)
            await self._socket.close(Goodbye.REFUSED, f"expected {self.dialect}, found something else")
        finally:
            self._inbox.end("hung_up")

    async def _close(self, reason: str, why: str = "", code: Goodbye = Goodbye.NORMAL) -> None:
        self._inbox.end(reason)
        self._reader.cancel()
        await asyncio.wait([self._reader])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STALLED):
                await self._socket.close(code, f"{reason}: {why}" if why else reason)


async def greeted(greeting: Awaitable[T]) -> T:
    """Wait for what says who the peer is. Safe to cancel.

    Raises:
        MediaError: it did not come in time, or the peer went away without it.
    """
    try:
        async with asyncio.timeout(GREETING):
            return await greeting
    except TimeoutError as error:
        raise MediaError(f"expected the start of the call within {GREETING:g} s, found nothing") from error
    except SocketClosed as error:
        raise MediaError("expected the start of the call, found the socket closed") from error


async def refuse(socket: MessageSocket, dialect: str) -> None:
    """Close a socket whose peer has not even said what it should have said first. Not safe to cancel."""
    await socket.close(Goodbye.REFUSED, f"expected the start of {dialect}, found something else")


def _cut(reason: str) -> str:
    return reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
