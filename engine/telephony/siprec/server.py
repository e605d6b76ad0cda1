"""The recording server: takes recording sessions from SBCs and gives each call's two channels, 20 ms at a time.

One beat for all calls reads their streams :data:`~engine.telephony.siprec.feed.DELAY` behind the clock; a loop that was late is
made up for. A call ends with its BYE, when nothing has come for ``lost`` (a lost BYE, a dead SBC), when the SBC does not refresh
its session as it promised, or after ``longest``; then the SBC is told with a BYE of ours.

Sound is taken from the address in the session description, from the SBC's own, and from the admitted networks; other datagrams
are passed over.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

import structlog

from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, AudioFrame
from engine.core.errors import MediaError
from engine.core.units import SampleIndex, Seconds
from engine.telephony.siprec.description import Ours, write_answer
from engine.telephony.siprec.feed import DELAY
from engine.telephony.siprec.message import Request, Response
from engine.telephony.siprec.ports import NoPortFree, Pair, PortRange
from engine.telephony.siprec.recording_session import RecordingSession, Rules, read_offer
from engine.telephony.siprec.rtp import is_rtcp
from engine.telephony.siprec.signalling import Outgoing, Peer, Signalling, Verdict
from engine.telephony.siprec.sockets import SipSockets

_log = structlog.get_logger(__name__)
LOST: Final = Seconds(30.0)
LONGEST: Final = Seconds(4 * 3600.0)
_SIGNALLING_EVERY: Final = 5  # beats: ten times a second
_FAULT: Final = "fault"  # of ours
_PARTING: Final = 50  # beats that SBCs may take to answer our last BYEs
_MOST_AT_ONCE: Final = 50  # frames of one call in one beat: a second that is made up for
_MOST_AT_THE_END: Final = 250  # where the loop was very late: the other calls wait meanwhile


class Recording(Protocol):
    """Takes what is heard of one call. None of these may wait."""

    def heard(self, caller: AudioFrame, agent: AudioFrame) -> None:
        """Take the next 20 ms of both channels."""

    def mask(self, start: Seconds, end: Seconds) -> None:
        """A key was pressed; its sound may still be to come."""

    def changed(self) -> None:
        """The SBC said something new of the call; the session knows it."""

    def ended(self, reason: str) -> None:
        """The call is over; nothing comes after it."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A call that may be recorded."""

    peer_id: str
    """Its Call-ID at the SBC."""

    sbc: str
    """The SBC's address."""

    session: RecordingSession
    """Follows the call; only the server changes it."""


Take = Callable[[Invitation], Recording | None]
"""Takes a call, or gives ``None`` because there is no room for it."""


@dataclass(frozen=True, slots=True)
class SiprecSettings:
    """How the door listens."""

    host: str = "127.0.0.1"
    port: int = 0
    """Of UDP and TCP; TLS listens on the next one."""

    transports: tuple[str, ...] = ("UDP", "TCP")
    tls: ssl.SSLContext | None = None
    advertised: str | None = None
    """The address SBCs reach us at, where it is not the one we listen on."""

    rtp_ports: tuple[int, int] | None = None
    """The first and the last; ``None`` = any."""

    rules: Rules = Rules()
    admits: Callable[[str], bool] = lambda _: True
    media_from: Callable[[str], bool] = lambda _: False
    """Whether sound may come from an address that neither signals nor is named in the session description."""

    lost: Seconds = LOST
    longest: Seconds = LONGEST


@dataclass(slots=True)
class _Call:
    invitation: Invitation
    recording: Recording
    peer: Peer
    opened: float
    """On the server's clock."""

    number: int
    """Of its session descriptions."""

    secret: bytes
    """Of our side, for encrypted sound."""

    heard_at: Seconds = Seconds(0.0)
    pairs: dict[int, Pair] = field(default_factory=dict)

    @property
    def session(self) -> RecordingSession:
        return self.invitation.session


class SiprecServer:
    """Open it with :func:`serve_siprec`. It is the office that its signalling asks."""

    def __init__(self, settings: SiprecSettings, take: Take, full: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._settings = settings
        self._take = take
        self._full = full
        self._clock = clock
        self._calls: dict[str, _Call] = {}
        self._ports = PortRange(settings.host, settings.rtp_ports)
        self._signalling = Signalling(self, self._contact, lambda: secrets.token_hex(8))
        self._sockets = SipSockets(self._message, settings.admits)
        self._beat: asyncio.Task[None] | None = None
        self.ports: Mapping[str, int] = {}
        """Of each transport."""

    @property
    def full(self) -> bool:
        """See :class:`engine.telephony.siprec.signalling.Office`."""
        return self._full()

    @property
    def live(self) -> int:
        """Calls being recorded."""
        return len(self._calls)

    async def open(self) -> None:
        """Listen. Not safe to cancel.

        Raises:
            OSError: the address can't be taken.
        """
        settings = self._settings
        self.ports = await self._sockets.open(settings.host, settings.port, settings.transports, settings.tls)
        self._beat = asyncio.create_task(self._keep_time(), name="beat of siprec")

    async def close(self) -> None:
        """End every call, and stop listening. Not safe to cancel."""
        for name in tuple(self._calls):
            self._hang_up(name, "shutdown")
        for _ in range(_PARTING):
            if self._signalling.parting:
                await asyncio.sleep(FRAME)
        if self._beat is not None:
            self._beat.cancel()
            await asyncio.wait([self._beat])
        await self._sockets.close()

    def invited(self, dialog: str, request: Request, peer: Peer) -> Verdict:
        """See :class:`engine.telephony.siprec.signalling.Office`."""
        session = RecordingSession(self._settings.rules)
        invitation = Invitation(request.fields.first("call-id") or "", peer.host, session)
        refused = self._offered(session, request, Seconds(0.0))
        if refused is not None:
            return refused
        if not session.feeds:
            return Verdict(488, warning=self._expected_line)
        pairs = self._paired(dialog, session, {})
        recording = self._take(invitation) if pairs is not None else None
        if pairs is None or recording is None:
            _closed(pairs or {})
            return Verdict(503)
        call = _Call(invitation, recording, peer, self._clock(), secrets.randbits(31), secrets.token_bytes(30), pairs=pairs)
        self._calls[dialog] = call
        _log.info("siprec.began", sbc=peer.host, live=len(self._calls))
        return Verdict(200, self._answer(call))

    @property
    def _expected_line(self) -> str:
        how = "RTP, or SRTP with a=crypto" if self._settings.rules.plain else "SRTP with a=crypto"
        return f"expected a line of PCMU, PCMA or G722 over {how}, found none"

    def _offered(self, session: RecordingSession, request: Request, now: Seconds) -> Verdict | None:
        """Let the session follow an offer; the refusal of one that can't be read or heard, which changes nothing."""
        try:
            offer = read_offer(request)
        except MediaError:
            return Verdict(400)
        if offer.description is None and not session.lines:
            return Verdict(488, warning="expected an offer in the INVITE, as RFC 7866 has it, found none")
        if offer.description is not None and not session.takes(offer.description):
            return Verdict(488, warning=self._expected_line)
        session.offered(offer, now)
        return None

    def updated(self, dialog: str, request: Request) -> Verdict:
        """See :class:`engine.telephony.siprec.signalling.Office`."""
        call = self._calls[dialog]
        now = self._now(call)
        call.heard_at = now
        before = call.session.version
        refused = self._offered(call.session, request, now)
        if refused is not None:
            return refused
        pairs = self._paired(dialog, call.session, call.pairs)
        if pairs is None:
            return Verdict(503)
        _closed({place: pair for place, pair in call.pairs.items() if place not in pairs})
        call.pairs = pairs
        call.recording.changed()
        asked = request.method == "INVITE" or call.session.version > before
        return Verdict(200, self._answer(call) if asked else b"")

    def ended(self, dialog: str, reason: str) -> None:
        """See :class:`engine.telephony.siprec.signalling.Office`."""
        call = self._calls.pop(dialog)
        try:
            self._give(call, self._now(call), _MOST_AT_THE_END if reason != _FAULT else 0)  # what still lies in the delay
        finally:
            _closed(call.pairs)
            call.recording.ended(reason)
        _log.info("siprec.ended", sbc=call.peer.host, reason=reason, live=len(self._calls))

    def _message(self, message: Request | Response, peer: Peer) -> list[Outgoing]:
        return self._signalling.receive(message, peer, Seconds(self._clock()))

    def _hang_up(self, dialog: str, reason: str) -> None:
        self._sockets.send(self._signalling.hang_up(dialog, Seconds(self._clock()), reason))

    def _now(self, call: _Call) -> Seconds:
        return Seconds(self._clock() - call.opened)

    def _answer(self, call: _Call) -> bytes:
        """Say where the lines are heard."""
        session, host = call.session, self._address(call.peer)
        ports = {place: pair.port for place, pair in call.pairs.items()}
        return write_answer(session.lines, ports.get, Ours(host, call.number, session.version, call.secret))

    def _paired(self, dialog: str, session: RecordingSession, pairs: dict[int, Pair]) -> dict[int, Pair] | None:
        """Ports for every line that is heard; ``None``, and nothing changed, where there are not enough."""
        found = {place: pairs[place] for place in session.feeds if place in pairs}
        opened: dict[int, Pair] = {}
        try:
            for place in session.feeds:
                if place not in found:
                    opened[place] = self._ports.open(partial(self._packet, dialog, place))
        except NoPortFree as error:
            _closed(opened)
            _log.error("siprec.refused", code=error.code)
            return None
        return found | opened

    def _packet(self, dialog: str, place: int, octets: bytes, source: str) -> None:
        call = self._calls.get(dialog)
        if call is None or not self._expected(call, place, source):
            return
        now = self._now(call)
        if is_rtcp(octets):  # it lives, though nobody speaks
            call.heard_at = now
            return
        before = call.session.counts.received
        span = call.session.hear(place, octets, now)
        if span is not None or call.session.counts.received > before:
            call.heard_at = now
        if span is not None:
            call.recording.mask(*span)

    def _expected(self, call: _Call, place: int, source: str) -> bool:
        named = call.session.lines[place].host if place < len(call.session.lines) else None
        return source in (named, call.peer.host) or self._settings.media_from(source)

    async def _keep_time(self) -> None:
        """The beat, by absolute deadlines: a late one is made up for. Calls are looked at one by one: a fault ends its own."""
        beats, due, loop = 0, self._clock(), asyncio.get_running_loop()
        while True:
            due = max(due + FRAME, self._clock() - 1.0)
            await asyncio.sleep(max(0.0, due - self._clock()))
            beats += 1
            for dialog in tuple(self._calls):
                loop.call_soon(self._look_at, dialog)
            if beats % _SIGNALLING_EVERY == 0:
                self._sockets.send(self._signalling.tick(Seconds(self._clock())))

    def _look_at(self, dialog: str) -> None:
        call = self._calls.get(dialog)
        if call is None:  # it has ended meanwhile
            return
        now, given = self._now(call), False
        try:
            self._give(call, Seconds(now - DELAY), _MOST_AT_ONCE)
            given = True
        finally:
            if not given:
                self._hang_up(dialog, _FAULT)
        if now > self._settings.longest:
            self._hang_up(dialog, "too_long")
        elif now - call.heard_at > self._settings.lost and not call.session.paused:
            self._hang_up(dialog, "lost")

    def _give(self, call: _Call, until: Seconds, most: int) -> None:
        """Give the whole frames up to a time, so many at most."""
        session, now = call.session, self._now(call)
        due = (TELEPHONY.samples(until) - session.read) // FRAME_SAMPLES
        for _ in range(min(most, due)):
            start = SampleIndex(session.read)
            caller, agent = session.take(FRAME_SAMPLES, now)
            call.recording.heard(AudioFrame(caller, start=start), AudioFrame(agent, start=start))

    def _contact(self, peer: Peer) -> str:
        host = self._address(peer)
        place = f"[{host}]" if ":" in host else host
        return f"sip:recorder@{place}:{self.ports[peer.transport]}" + (
            f";transport={peer.transport.lower()}" if peer.reliable else ""
        )

    def _address(self, peer: Peer) -> str:
        """Where this peer reaches us."""
        if self._settings.advertised is not None:
            return self._settings.advertised
        return _towards(peer) if ipaddress.ip_address(_numeric(self._settings.host)).is_unspecified else self._settings.host


@contextlib.asynccontextmanager
async def serve_siprec(
    settings: SiprecSettings, take: Take, full: Callable[[], bool], clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[SiprecServer]:
    """Open the door; on the way out every call is ended, and the SBCs are told.

    Raises:
        OSError: the address can't be taken.
    """
    server = SiprecServer(settings, take, full, clock)
    await server.open()
    try:
        yield server
    finally:
        await server.close()


def _closed(pairs: dict[int, Pair]) -> None:
    for pair in pairs.values():
        pair.close()


def _numeric(host: str) -> str:
    return "127.0.0.1" if host == "localhost" else host


def _towards(peer: Peer) -> str:
    """Our own address on the way to a peer; nothing is sent to find out."""
    with socket.socket(socket.AF_INET6 if ":" in peer.host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((peer.host, peer.port))
        address: str = probe.getsockname()[0]
        return address
