"""Stands at the AudioSocket door: counts who is there, and lets in whom it may."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.audiosocket.complaints import Complaints
from engine.telephony.audiosocket.connection import Connection
from engine.telephony.audiosocket.frames import Frame, Kind
from engine.telephony.audiosocket.settings import AudioSocketSettings
from engine.telephony.peers import admits, networks

GREETING: Final = Seconds(5.0)  # how long a peer may take to name its call; Asterisk does it at once


class Porter:
    """One door's."""

    def __init__(self, settings: AudioSocketSettings, complaints: Complaints) -> None:
        self._settings = settings
        self._peers = networks(settings.peers)
        self._complaints = complaints
        self._open = 0
        self._unnamed: Counter[str] = Counter()

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count a connection as long as it lasts."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def let_in(self, connection: Connection) -> UUID | None:
        """Give the name of a connection's call, or ``None`` where it may not stay. Safe to cancel."""
        found = self._turned_away(connection.peer) or await self._named(connection)
        if isinstance(found, UUID):
            return found
        self._complaints.say(connection.peer, found)
        return None

    def _turned_away(self, peer: str) -> str | None:
        if not admits(self._peers, peer):
            return "this peer is not among doors.audiosocket.peers"
        if self._open > self._settings.connections:
            return "too many connections"
        if self._unnamed[peer] >= self._settings.unnamed:
            return "too many connections of this peer that name no call"
        return None

    async def _named(self, connection: Connection) -> UUID | str:
        self._unnamed[connection.peer] += 1
        try:
            first = await _greeting(connection)
        finally:
            self._unnamed -= Counter([connection.peer])
        return first if isinstance(first, str) else UUID(bytes=first.payload)


async def _greeting(connection: Connection) -> Frame | str:
    """Wait for the frame that names the call; or why there is none. Safe to cancel."""
    try:
        async with asyncio.timeout(GREETING):
            first = await connection.receive()
    except TimeoutError:
        return f"it named no call within {GREETING:g} s"
    except EOFError:
        return "it went away before it named a call"
    except MediaError:
        return "it does not speak AudioSocket"
    return first if first.kind == Kind.UUID else "it did not begin with the name of a call"
