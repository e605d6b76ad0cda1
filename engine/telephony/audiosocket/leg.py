"""A call over AudioSocket, under the Leg contract. The engine's side: it knows what the AudioSocket process tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import structlog

from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.apart.leg import ApartLeg
from engine.telephony.apart.wire import Frame, Kind
from engine.telephony.audiosocket.wire import Closed
from engine.telephony.handover import Handover
from engine.telephony.key_sources import KeySources
from engine.telephony.leg import TRANSFERRED, Incoming, Sound

_log = structlog.get_logger(__name__)
SILENT: Final = Seconds(300.0)  # without a frame: a telephone that suppresses silence sends none while its owner listens
_LET_GO: Final = 10  # frames without sound: no jitter is as long


class AudioSocketLeg(ApartLeg):
    """One call."""

    def __init__(
        self,
        number: int,
        facts: CallFacts,
        tell: Callable[[Frame], None],
        handover: Handover | None = None,
        *,
        in_band_keys: bool = True,
    ) -> None:
        """``in_band_keys``: key tones in the sound count, until the first key comes as a message (from Asterisk 18 none does)."""
        super().__init__(number, facts, tell, KeySources(in_band=in_band_keys), SILENT)
        self._handover = handover
        self._silent = 0  # frames in a row that were filled in

    async def receive(self) -> Incoming:
        """See :class:`engine.telephony.leg.Leg`. Safe to cancel."""
        incoming = await super().receive()
        if isinstance(incoming, Sound):
            self._listen_on(incoming)
        return incoming

    def deliver(self, to: Callable[[Incoming], None]) -> None:
        """See :class:`engine.telephony.leg.Delivering`."""

        def passed_on(incoming: Incoming) -> None:
            to(incoming)
            if isinstance(incoming, Sound):
                self._listen_on(incoming)

        super().deliver(passed_on)

    async def transfer(self, destination: str, context: Mapping[str, str]) -> bool:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        if self._inbox.closed:
            return False
        if self._handover is not None:
            await self._handover(self.facts, destination, context)
        self._end(TRANSFERRED)
        return True

    def lose(self) -> None:
        """Take it that the process is dead."""
        self._inbox.end("lost")

    def _learn(self, frame: Frame) -> None:
        if frame.kind is not Kind.CLOSED:
            return
        closed = Closed.of(frame)
        fault = MediaError(closed.found or "") if closed.reason == MediaError.code else None
        if fault is not None:
            _log.warning("audiosocket.fault", call=self.facts.id, code=fault.code)
        elif closed.found is not None:
            _log.warning("audiosocket.error", call=self.facts.id, said=closed.found)
        self._inbox.end(closed.reason, fault)

    def _listen_on(self, sound: Sound) -> None:
        """Let a key tone end where the peer falls silent behind it; a short gap is the network's, and the key is still held."""
        self._silent = self._silent + 1 if sound.filled else 0
        if self._silent >= _LET_GO:
            for code in self._keys.sound(sound.frame.samples, self._inbox.now):
                self._press(code)
