"""Calls from Asterisk over AudioSocket: a TCP server that Asterisk connects to, one connection a call.

Rules of the peer. Asterisk neither paces nor buffers, so sound goes out 20 ms at a time and can't be taken back: the lead is the
floor of barge-in. Older ones end the call on any frame from us but sound and hang-up. While a key is held, no sound comes at all.
There is no password: bind to loopback or a network of its own, and admit only announced calls where that can be done.

In the dialplan: ``Dial(AudioSocket/host:9092/${UUID}/c(slin))``. The application ``AudioSocket()`` eats a core a call before
Asterisk 20.5.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

import structlog

from engine.audio.g711 import Law
from engine.core.audio import AudioFrame
from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.audiosocket_frames import RATES, Frame, FrameReader, Kind
from engine.telephony.coding import G711, Coding, Linear
from engine.telephony.handover import Handover, new_call_id
from engine.telephony.inbox import Inbox
from engine.telephony.key_sources import KeySources
from engine.telephony.leg import Incoming

_log = structlog.get_logger(__name__)
LEAD: Final = Seconds(0.040)
GREETING: Final = Seconds(5.0)  # how long a peer may take to name its call; Asterisk does it at once
CLOSING: Final = Seconds(1.0)
_MOST_UNSENT: Final = 65_536  # bytes: four seconds of 8 kHz that the peer did not take
_READ: Final = 4_096  # bytes at a time: a dozen frames


class Payload(StrEnum):
    """What lies in frames of sound."""

    AUTO = "auto"
    """PCM; but 160 bytes are 20 ms of G.711 (the channel driver without ``c(slin)``), of the law in the settings."""
    SLIN = "slin"
    G711 = "g711"


@dataclass(frozen=True, slots=True)
class AudioSocketSettings:
    """How the door treats its peers."""

    payload: Payload = Payload.AUTO

    law: Law = Law.ULAW
    """Where the payload is G.711."""

    in_band_keys: bool = True
    """Whether key tones in the sound count, until a peer sends its first key as a frame (Asterisk 18 never does)."""


_DEFAULTS: Final = AudioSocketSettings()
Admit = Callable[[UUID], CallFacts | None]
"""Gives what the bank announced of a call, or ``None`` to refuse it."""


def admit_all(name: UUID) -> CallFacts:
    """Take every call, knowing nothing of it but its name."""
    return CallFacts(id=new_call_id(str(name)), door="audiosocket")


class AudioSocketLeg:
    """One connection, after the peer has named its call."""

    real_time = True
    lead = LEAD

    def __init__(
        self,
        connection: Connection,
        facts: CallFacts,
        settings: AudioSocketSettings = _DEFAULTS,
        handover: Handover | None = None,
    ) -> None:
        self.facts = facts
        self._connection = connection
        self._settings = settings
        self._handover = handover
        self._kind: int | None = None  # of the sound that comes in; unknown until some has
        self._coding: Coding = G711(settings.law) if settings.payload is Payload.G711 else Linear()
        self._inbox = Inbox()
        self._keys = KeySources(in_band=settings.in_band_keys)
        self._reader = asyncio.create_task(self._read(), name=f"reader of {facts.id}")

    async def receive(self) -> Incoming:
        """See :class:`engine.telephony.leg.Leg`. Safe to cancel."""
        return await self._inbox.receive()

    async def send(self, frame: AudioFrame) -> None:
        """See :class:`engine.telephony.leg.Leg`. Never waits: a peer that takes nothing any more is gone."""
        if self._inbox.closed:
            return
        kind = Kind.SOUND if self._kind is None else self._kind
        if not self._connection.send(Frame(kind, self._coding.encode(frame))):
            self._inbox.end("stalled")

    async def flush(self) -> None:
        """Asterisk has no such order; what was sent ahead is heard."""

    async def transfer(self, destination: str, context: Mapping[str, str]) -> None:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        if self._inbox.closed:
            return
        if self._handover is not None:
            await self._handover(self.facts, destination, context)
        await self._close("transferred")

    async def hang_up(self) -> None:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        await self._close("ended")

    async def _read(self) -> None:
        try:
            while not self._inbox.closed:
                self._take(await self._connection.receive())
                await asyncio.sleep(0)  # a peer that floods takes turns with the others
        except (EOFError, OSError):
            pass
        except MediaError as error:
            self._inbox.end(MediaError.code, error)
            _log.warning("audiosocket.fault", call=self.facts.id, code=error.code)
        finally:
            self._inbox.end("hung_up")

    def _take(self, frame: Frame) -> None:
        self._inbox.alive()
        if frame.kind in RATES:
            self._hear(frame)
        elif frame.kind == Kind.KEY:
            self._press(self._keys.frame(frame.payload[0], self._inbox.now))
        elif frame.kind == Kind.UUID:
            raise MediaError("expected one name of a call, found a second one")
        elif frame.kind in (Kind.HANG_UP, Kind.ERROR):
            self._inbox.end("hung_up")

    def _hear(self, frame: Frame) -> None:
        if frame.kind != self._kind:
            self._kind, self._coding = frame.kind, self._coding_of(frame)
        samples = self._coding.decode(frame.payload)
        self._inbox.sound(samples)
        for code in self._keys.sound(samples, self._inbox.now):
            self._press(code)

    def _press(self, code: int | None) -> None:
        if code is not None:
            self._inbox.key(code)

    def _coding_of(self, frame: Frame) -> Coding:
        if frame.kind != Kind.SOUND:
            return Linear(RATES[frame.kind])
        twenty_ms_of_g711 = len(frame.payload) == 160 and self._settings.payload is Payload.AUTO
        return G711(self._settings.law) if twenty_ms_of_g711 or self._settings.payload is Payload.G711 else Linear()

    async def _close(self, reason: str) -> None:
        self._inbox.end(reason)
        self._reader.cancel()
        await asyncio.wait([self._reader])
        await self._connection.close()


class Connection:
    """One TCP connection, in frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader()
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def receive(self) -> Frame:
        """Wait for the next frame. Safe to cancel.

        Raises:
            EOFError: the peer has closed the connection.
            OSError: the network has.
            MediaError: what came is no frame.
        """
        while (frame := self._frames.next()) is None:
            octets = await self._reader.read(_READ)
            if not octets:
                raise EOFError
            self._frames.feed(octets)
        return frame

    def send(self, frame: Frame) -> bool:
        """Send a frame without waiting; ``False`` where the peer takes nothing any more."""
        transport = self._writer.transport
        if transport.is_closing() or transport.get_write_buffer_size() > _MOST_UNSENT:
            return False
        self._writer.write(bytes(frame))
        return True

    async def close(self) -> None:
        """Say good-bye and close; idempotent. Not safe to cancel."""
        if self._writer.is_closing():
            return
        self.send(Frame(Kind.HANG_UP))
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSING):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()


async def serve_audiosocket(
    host: str,
    port: int,
    on_leg: Callable[[AudioSocketLeg], Awaitable[object]],
    *,
    settings: AudioSocketSettings = _DEFAULTS,
    admit: Admit = admit_all,
    handover: Handover | None = None,
) -> asyncio.Server:
    """Open the door; ``on_leg`` carries each call to its end. What one peer does wrong ends its own connection only."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        try:
            facts = await _admitted(connection, admit)
        except (MediaError, EOFError, OSError) as error:
            _log.warning("audiosocket.refused", reason=type(error).__name__)
            await connection.close()
            return
        leg = AudioSocketLeg(connection, facts, settings, handover)
        try:
            await on_leg(leg)
        finally:
            await leg.hang_up()

    return await asyncio.start_server(take, host, port)


async def _admitted(connection: Connection, admit: Admit) -> CallFacts:
    """Wait for the call's name and ask whether it is expected.

    Raises:
        MediaError: no name came first and in time, or it is not admitted.
    """
    try:
        async with asyncio.timeout(GREETING):
            first = await connection.receive()
    except TimeoutError as error:
        raise MediaError(f"expected the name of a call within {GREETING:g} s, found nothing") from error
    if first.kind != Kind.UUID:
        raise MediaError(f"expected the name of a call first, found {first!r}")
    facts = admit(UUID(bytes=first.payload))
    if facts is None:
        raise MediaError("expected the name of an announced call, found an unknown one")
    return facts
