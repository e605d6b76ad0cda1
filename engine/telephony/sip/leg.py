"""A call over SIP, under the Leg contract. The engine's side: it knows frames of :mod:`engine.telephony.sip.wire`, not SIP.

The lead is long, for a stall of our loop must make no hole: baresip's own thread sends what lies ahead. Barge-in does not suffer,
because a flush empties that buffer but for the packet that is just being sent.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import structlog

from engine.core.audio import AudioFrame
from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.inbox import Inbox
from engine.telephony.key_sources import KeySources
from engine.telephony.leg import TRANSFERRED, Incoming
from engine.telephony.sip.handed import Handing
from engine.telephony.sip.wire import Closed, Frame, Kind, NotTransferred, Transfer

_log = structlog.get_logger(__name__)
LEAD: Final = Seconds(0.200)  # a stall of 150 ms and the tick of the pump
_OUTCOME: Final = Seconds(30.0)  # how long a peer may take to say how a transfer went; the process gives up sooner
_NOT_HEARD: Final = frozenset({"rtp stream error", "Connection timed out [110]"})


class SipLeg:
    """One call."""

    real_time = True
    lead = LEAD

    def __init__(
        self, number: int, facts: CallFacts, tell: Callable[[Frame], None], handing: Handing, *, in_band_keys: bool = False
    ) -> None:
        self.facts = facts
        self._number = number
        self._tell = tell
        self._handing = handing
        self._keys = KeySources(in_band=in_band_keys)
        self._inbox = Inbox(lost=Seconds(math.inf))  # baresip judges that, and knows of calls on hold
        self._transferring: asyncio.Future[bool] | None = None

    async def receive(self) -> Incoming:
        """See :class:`engine.telephony.leg.Leg`. Safe to cancel."""
        return await self._inbox.receive()

    def deliver(self, to: Callable[[Incoming], None]) -> None:
        """See :class:`engine.telephony.leg.Delivering`."""
        self._inbox.deliver(to)

    async def send(self, frame: AudioFrame) -> None:
        """See :class:`engine.telephony.leg.Leg`. Never waits."""
        self.put(frame)

    def put(self, frame: AudioFrame) -> None:
        """See :class:`engine.telephony.leg.Immediate`."""
        if not self._inbox.closed:
            self._tell(Frame(Kind.SOUND, self._number, frame.samples.astype("<i2").tobytes()))

    async def flush(self) -> None:
        """See :class:`engine.telephony.leg.Leg`. Never waits."""
        if not self._inbox.closed:
            self._tell(Frame(Kind.FLUSH, self._number))

    async def transfer(self, destination: str, context: Mapping[str, str]) -> bool:
        """See :class:`engine.telephony.leg.Leg`. Waits until the peer says that people have answered. Not safe to cancel."""
        for address in self._handing.addresses(destination):
            if self._inbox.closed:
                return False
            if await self._referred(self._handing.refer_to(address, self.facts, context)):
                self._end(TRANSFERRED)
                return True
        if not self._inbox.closed:
            _log.error("sip.transfer", call=self.facts.id, destination=destination, found="nobody took the call")
        return False

    async def hang_up(self) -> None:
        """See :class:`engine.telephony.leg.Leg`. Never waits."""
        self._end("ended")

    def take(self, frame: Frame) -> None:
        """Take what the process tells of this call."""
        try:
            self._take(frame)
        except MediaError as error:
            _log.warning("sip.fault", call=self.facts.id, code=error.code)
            self._end(MediaError.code, error)

    def lose(self) -> None:
        """Take it that the process is dead."""
        self._over("lost", transferred=False)

    def _take(self, frame: Frame) -> None:
        match frame.kind:
            case Kind.SOUND:
                self._hear(frame.payload)
            case Kind.KEY:
                self._press(self._keys.frame(frame.payload[0], self._inbox.now))
            case Kind.CLOSED:
                lost = Closed.of(frame).reason in _NOT_HEARD
                self._over("lost" if lost else "hung_up", transferred=not lost)
            case Kind.NOT_TRANSFERRED:
                told = NotTransferred.of(frame)
                _log.warning("sip.transfer", call=self.facts.id, status=told.status, found=told.reason)
                self._settle(transferred=False)
            case _:
                pass  # ringing, hold: the timeline fills itself

    def _hear(self, pcm: bytes) -> None:
        samples = np.frombuffer(pcm, "<i2").astype(np.int16)
        self._inbox.sound(samples)
        for code in self._keys.sound(samples, self._inbox.now):
            self._press(code)

    def _press(self, code: int | None) -> None:
        if code is not None:
            self._inbox.key(code)

    async def _referred(self, refer_to: str) -> bool:
        self._transferring = asyncio.get_running_loop().create_future()
        self._tell(Transfer(refer_to).frame(self._number))
        try:
            async with asyncio.timeout(_OUTCOME):
                return await self._transferring
        except TimeoutError:
            return False
        finally:
            self._transferring = None

    def _over(self, reason: str, *, transferred: bool) -> None:
        """The call is over at the other end; a peer that took a transfer may just hang up here."""
        if self._transferring is None or not transferred:
            self._inbox.end(reason)
        self._settle(transferred=transferred)

    def _settle(self, *, transferred: bool) -> None:
        if self._transferring is not None and not self._transferring.done():
            self._transferring.set_result(transferred)

    def _end(self, reason: str, fault: MediaError | None = None) -> None:
        if not self._inbox.closed:
            self._inbox.end(reason, fault)
            self._tell(Frame(Kind.HANG_UP, self._number))
