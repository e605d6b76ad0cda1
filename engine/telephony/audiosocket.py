"""The door for calls from Asterisk: a TCP server that Asterisk connects to, one connection a call.

AudioSocket has no password and no encryption. What can be asked for is asked: that the peer's address is known, that a connection
names its call at once, that somebody has announced that name. What one peer does wrong ends its own connection only; each ends
with a hang-up frame, because Asterisk 18 takes no notice of one that is closed without it.

In the dialplan: ``Dial(AudioSocket/host:9092/${UUID}/c(slin))``. The application ``AudioSocket()`` eats a core a call before
Asterisk 20.5.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.audiosocket_connection import Connection
from engine.telephony.audiosocket_frames import Frame, Kind
from engine.telephony.audiosocket_leg import DEFAULTS, AudioSocketLeg, AudioSocketSettings
from engine.telephony.handover import Handover, new_call_id

_log = structlog.get_logger(__name__)
GREETING: Final = Seconds(5.0)  # how long a peer may take to name its call; Asterisk does it at once
_BACKLOG: Final = 512  # connections the system keeps until we come to them; Asterisk waits two seconds
_LOG_EVERY: Final = Seconds(1.0)  # a flood of refusals must not fill the disk


def admit_all(name: UUID) -> CallFacts:
    """Take every call, knowing nothing of it but its name."""
    return CallFacts(id=new_call_id(str(name)), door="audiosocket", peer_id=str(name))


@dataclass(frozen=True, slots=True)
class Welcome:
    """Who may come in, and how many."""

    peer: Callable[[str], bool] = lambda _: True
    """Whether one at this address may."""

    admit: Callable[[UUID], CallFacts | None] = admit_all
    """Gives what is known of a call, or ``None`` to refuse it."""

    connections: int = 512
    """At once. How many calls there may be is the engine's affair, which refuses them more politely."""

    unnamed: int = 64
    """Of one peer at once, that have not yet named their call."""


_ANYBODY: Final = Welcome()


async def serve_audiosocket(
    host: str,
    port: int,
    on_leg: Callable[[AudioSocketLeg], Awaitable[object]],
    *,
    settings: AudioSocketSettings = DEFAULTS,
    welcome: Welcome = _ANYBODY,
    handover: Handover | None = None,
) -> asyncio.Server:
    """Open the door; ``on_leg`` carries each call to its end."""
    porter = _Porter(welcome)

    tasks: set[asyncio.Task[None]] = set()

    async def take(connection: Connection) -> None:
        with porter.counted():
            facts = await porter.let_in(connection)
            if facts is None:
                await connection.close()
                return
            leg = AudioSocketLeg(connection, facts, settings, handover)
            try:
                await on_leg(leg)
            finally:
                await leg.hang_up()

    def met(connection: Connection) -> None:
        task = asyncio.create_task(take(connection), name="audiosocket")
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    return await asyncio.get_running_loop().create_server(lambda: Connection(met), host, port, backlog=_BACKLOG)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a connection may not stay."""

    reason: str

    call: str | None = None
    """The name it gave its call."""


class _Porter:
    """Stands at the door: counts who is there, and lets in whom it may."""

    def __init__(self, welcome: Welcome) -> None:
        self._welcome = welcome
        self._open = 0
        self._unnamed: Counter[str] = Counter()
        self._complaints = _Complaints()

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count a connection as long as it lasts."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def let_in(self, connection: Connection) -> CallFacts | None:
        """Give what is known of a connection's call, or ``None`` where it may not stay. Safe to cancel."""
        found = self._turned_away(connection.peer) or await self._named(connection)
        if isinstance(found, _Refusal):
            self._complaints.say(connection.peer, found)
            return None
        return found

    def _turned_away(self, peer: str) -> _Refusal | None:
        if not self._welcome.peer(peer):
            return _Refusal("this peer is not among doors.audiosocket.peers")
        if self._open > self._welcome.connections:
            return _Refusal("too many connections")
        if self._unnamed[peer] >= self._welcome.unnamed:
            return _Refusal("too many connections of this peer that name no call")
        return None

    async def _named(self, connection: Connection) -> CallFacts | _Refusal:
        self._unnamed[connection.peer] += 1
        try:
            first = await _greeting(connection)
        finally:
            self._unnamed -= Counter([connection.peer])
        if isinstance(first, _Refusal):
            return first
        name = UUID(bytes=first.payload)
        return self._welcome.admit(name) or _Refusal("nobody has announced this call, or it has come already", str(name))


async def _greeting(connection: Connection) -> Frame | _Refusal:
    """Wait for the frame that names the call. Safe to cancel."""
    try:
        async with asyncio.timeout(GREETING):
            first = await connection.receive()
    except TimeoutError:
        return _Refusal(f"it named no call within {GREETING:g} s")
    except EOFError:
        return _Refusal("it went away before it named a call")
    except MediaError:
        return _Refusal("it does not speak AudioSocket")
    return first if first.kind == Kind.UUID else _Refusal("it did not begin with the name of a call")


class _Complaints:
    """Logs refusals; of a flood of one kind a line a second, with how many it stands for."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[str, float] = {}
        self._unsaid: Counter[str] = Counter()

    def say(self, peer: str, refusal: _Refusal) -> None:
        """Say it, or count it."""
        now = self._clock()
        self._unsaid[refusal.reason] += 1
        if now - self._said.get(refusal.reason, -_LOG_EVERY) < _LOG_EVERY:
            return
        self._said[refusal.reason] = now
        count = self._unsaid.pop(refusal.reason)
        _log.warning("audiosocket.refused", peer=peer, reason=refusal.reason, call=refusal.call, count=count)
