"""A call over SIP, under the Leg contract. The engine's side: it knows what the SIP process tells of it, not SIP."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from engine.core.call import CallFacts
from engine.core.units import Seconds
from engine.telephony.apart.leg import ApartLeg
from engine.telephony.apart.wire import Frame, Kind
from engine.telephony.key_sources import KeySources
from engine.telephony.leg import TRANSFERRED
from engine.telephony.sip.handed import Handing
from engine.telephony.sip.wire import Closed, NotTransferred, Transfer

_log = structlog.get_logger(__name__)
_OUTCOME: Final = Seconds(30.0)  # how long a peer may take to say how a transfer went; the process gives up sooner
_NOT_HEARD: Final = frozenset({"rtp stream error", "Connection timed out [110]"})


class SipLeg(ApartLeg):
    """One call."""

    def __init__(
        self, number: int, facts: CallFacts, tell: Callable[[Frame], None], handing: Handing, *, in_band_keys: bool = False
    ) -> None:
        never = Seconds(math.inf)  # baresip judges that, and knows of calls on hold
        super().__init__(number, facts, tell, KeySources(in_band=in_band_keys), never)
        self._handing = handing
        self._transferring: asyncio.Future[bool] | None = None

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

    def lose(self) -> None:
        """Take it that the process is dead."""
        self._over("lost", transferred=False)

    def _learn(self, frame: Frame) -> None:
        match frame.kind:
            case Kind.CLOSED:
                lost = Closed.of(frame).reason in _NOT_HEARD
                self._over("lost" if lost else "hung_up", transferred=not lost)
            case Kind.NOT_TRANSFERRED:
                told = NotTransferred.of(frame)
                _log.warning("sip.transfer", call=self.facts.id, status=told.status, found=told.reason)
                self._settle(transferred=False)
            case _:
                pass  # ringing, hold: the timeline fills itself

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
