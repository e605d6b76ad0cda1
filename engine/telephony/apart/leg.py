"""A call whose sound passes through a door's process, under the Leg contract, as far as it is the same for all such doors.

The lead is long, for a stall of our loop must make no hole: the process sends what lies ahead, on the beat. Barge-in does not
suffer, because a flush empties what it holds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

import numpy as np
import structlog

from engine.core.audio import AudioFrame
from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.apart.wire import Frame, Kind
from engine.telephony.inbox import Inbox
from engine.telephony.key_sources import KeySources
from engine.telephony.leg import Incoming

_log = structlog.get_logger(__name__)
LEAD: Final = Seconds(0.200)  # a stall of 150 ms and the tick of a pump


class ApartLeg(ABC):
    """One call; a door adds how it ends and how it is passed on."""

    real_time = True
    lead = LEAD

    def __init__(self, number: int, facts: CallFacts, tell: Callable[[Frame], None], keys: KeySources, lost: Seconds) -> None:
        """``lost``: without a sign of life for so long the caller is gone."""
        self.facts = facts
        self._number = number
        self._tell = tell
        self._keys = keys
        self._inbox = Inbox(lost=lost)

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

    async def hang_up(self) -> None:
        """See :class:`engine.telephony.leg.Leg`. Never waits."""
        self._end("ended")

    def take(self, frame: Frame) -> None:
        """Take what the process tells of this call."""
        try:
            match frame.kind:
                case Kind.SOUND:
                    self._hear(frame.payload)
                case Kind.KEY:
                    self._press(self._keys.frame(frame.payload[0], self._inbox.now))
                case _:
                    self._learn(frame)
        except MediaError as error:
            _log.warning(f"{self.facts.door}.fault", call=self.facts.id, code=error.code)
            self._end(MediaError.code, error)

    @abstractmethod
    def lose(self) -> None:
        """Take it that the process is dead."""

    @abstractmethod
    def _learn(self, frame: Frame) -> None:
        """Take what is neither sound nor a key.

        Raises:
            MediaError: the peer did something that no call survives.
        """

    def _hear(self, pcm: bytes) -> None:
        samples = np.frombuffer(pcm, "<i2").astype(np.int16)
        self._inbox.sound(samples)
        for code in self._keys.sound(samples, self._inbox.now):
            self._press(code)

    def _press(self, code: int | None) -> None:
        if code is not None:
            self._inbox.key(code)

    def _end(self, reason: str, fault: MediaError | None = None) -> None:
        """End the call from our side."""
        if not self._inbox.closed:
            self._inbox.end(reason, fault)
            self._tell(Frame(Kind.HANG_UP, self._number))
