"""One call over AudioSocket: a TCP connection that Asterisk has opened, after it has named its call.

Rules of the peer. Asterisk neither paces nor buffers, so sound goes out 20 ms at a time and can't be taken back: the lead is the
floor of barge-in. Older ones read a frame's header a byte at a time and end the call where one is missing, so a frame is one
write. They end it on any frame from us but sound and hang-up, and take no notice of a connection that was closed without one.
While a key is held, no sound comes at all. Sound of kind 0x10 from us is taken for PCM at 8 kHz, whatever coding came from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from engine.audio.g711 import Law
from engine.core.audio import AudioFrame
from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.core.secrets import KEYS
from engine.core.units import Seconds
from engine.telephony.audiosocket_connection import Connection
from engine.telephony.audiosocket_frames import RATES, Frame, Kind
from engine.telephony.coding import G711, Coding, Linear
from engine.telephony.handover import Handover
from engine.telephony.inbox import Inbox
from engine.telephony.key_sources import KeySources
from engine.telephony.leg import Incoming, Sound

_log = structlog.get_logger(__name__)
LEAD: Final = Seconds(0.040)
SILENT: Final = Seconds(300.0)  # without a frame: a telephone that suppresses silence sends none while its owner listens
_LET_GO: Final = 10  # frames without sound: no jitter is as long
_G711_FRAME: Final = 160  # bytes: 20 ms
_CALLER_HUNG_UP: Final = b"\x01"  # what an error frame says of an end like any other
_PAD: Final = frozenset(KEYS.encode())  # Asterisk gives a fax's tone as a key "f", among others


class Payload(StrEnum):
    """What lies in frames of kind 0x10 that come in."""

    AUTO = "auto"
    """PCM; but 160 bytes are 20 ms of G.711 (the channel driver without ``c(slin)``), of the law in the settings."""
    SLIN = "slin"
    G711 = "g711"


@dataclass(frozen=True, slots=True)
class AudioSocketSettings:
    """How the door understands its peers."""

    payload: Payload = Payload.AUTO

    law: Law = Law.ULAW
    """Where the payload is G.711."""

    in_band_keys: bool = True
    """Whether key tones in the sound count, until a peer sends its first key as a frame (Asterisk 18 never does)."""


DEFAULTS: Final = AudioSocketSettings()


class AudioSocketLeg:
    """One connection, after the peer has named its call."""

    real_time = True
    lead = LEAD

    def __init__(
        self,
        connection: Connection,
        facts: CallFacts,
        settings: AudioSocketSettings = DEFAULTS,
        handover: Handover | None = None,
    ) -> None:
        self.facts = facts
        self._connection = connection
        self._settings = settings
        self._handover = handover
        self._kind: int | None = None  # of the sound that comes in; unknown until some has
        self._hears: Coding = Linear()
        self._speaks: Coding = Linear()
        self._inbox = Inbox(lost=SILENT)
        self._keys = KeySources(in_band=settings.in_band_keys)
        self._silent = 0  # frames in a row that were filled in
        connection.attend(self._heard, self._over)

    async def receive(self) -> Incoming:
        """See :class:`engine.telephony.leg.Leg`. Safe to cancel."""
        incoming = await self._inbox.receive()
        if isinstance(incoming, Sound):
            self._listen_on(incoming)
        return incoming

    def deliver(self, to: Callable[[Incoming], None]) -> None:
        """See :class:`engine.telephony.leg.Delivering`."""

        def passed_on(incoming: Incoming) -> None:
            to(incoming)
            if isinstance(incoming, Sound):
                self._listen_on(incoming)

        self._inbox.deliver(passed_on)

    async def send(self, frame: AudioFrame) -> None:
        """See :class:`engine.telephony.leg.Leg`. Never waits."""
        self.put(frame)

    def put(self, frame: AudioFrame) -> None:
        """See :class:`engine.telephony.leg.Immediate`. A peer that takes nothing any more is gone."""
        if self._inbox.closed:
            return
        payload = self._speaks.encode(frame)
        kind = Kind.SOUND if self._kind is None else self._kind
        if payload and not self._connection.send(Frame(kind, payload)):  # an empty frame would end the call
            self._inbox.end("stalled")

    async def flush(self) -> None:
        """Asterisk has no such order; what was sent ahead is heard."""

    async def transfer(self, destination: str, context: Mapping[str, str]) -> bool:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        if self._inbox.closed:
            return False
        if self._handover is not None:
            await self._handover(self.facts, destination, context)
        await self._close("transferred")
        return True

    async def hang_up(self) -> None:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        await self._close("ended")

    def _heard(self, frame: Frame) -> None:
        """Take the peer's next frame."""
        if self._inbox.closed:
            return
        try:
            self._take(frame)
        except MediaError as error:
            self._over(error)

    def _over(self, fault: MediaError | None) -> None:
        """The peer has hung up, or does not speak AudioSocket."""
        if fault is not None and not self._inbox.closed:
            self._inbox.end(MediaError.code, fault)
            _log.warning("audiosocket.fault", call=self.facts.id, code=fault.code)
        self._inbox.end("hung_up")

    def _take(self, frame: Frame) -> None:
        self._inbox.alive()
        if frame.kind in RATES and frame.payload:
            self._hear(frame)
        elif frame.kind == Kind.KEY and frame.payload[0] in _PAD:
            self._press(self._keys.frame(frame.payload[0], self._inbox.now))
        elif frame.kind == Kind.UUID:
            raise MediaError("expected one name of a call, found a second one")
        elif frame.kind == Kind.ERROR and frame.payload not in (b"", _CALLER_HUNG_UP):
            _log.warning("audiosocket.error", call=self.facts.id, said=frame.payload[0])
            self._inbox.end("hung_up")
        elif frame.kind in (Kind.HANG_UP, Kind.ERROR):
            self._inbox.end("hung_up")

    def _hear(self, frame: Frame) -> None:
        if frame.kind != self._kind:
            format = RATES[frame.kind]
            self._kind, self._hears = frame.kind, G711(self._settings.law) if self._is_g711(frame) else Linear(format)
            self._speaks = Linear(format)
        samples = self._hears.decode(frame.payload)
        self._inbox.sound(samples)
        for code in self._keys.sound(samples, self._inbox.now):
            self._press(code)

    def _listen_on(self, sound: Sound) -> None:
        """Let a key tone end where the peer falls silent behind it; a short gap is the network's, and the key is still held."""
        self._silent = self._silent + 1 if sound.filled else 0
        if self._silent >= _LET_GO:
            for code in self._keys.sound(sound.frame.samples, self._inbox.now):
                self._press(code)

    def _is_g711(self, first: Frame) -> bool:
        """Whether what comes is no PCM; Asterisk gives other codings the kind of 8 kHz."""
        if first.kind != Kind.SOUND or self._settings.payload is Payload.SLIN:
            return False
        return self._settings.payload is Payload.G711 or len(first.payload) == _G711_FRAME

    def _press(self, code: int | None) -> None:
        if code is not None:
            self._inbox.key(code)

    async def _close(self, reason: str) -> None:
        self._inbox.end(reason)
        await self._connection.close()
