"""A recording is a caller: it plays into the call, presses keys, and keeps what the engine said.

Without ``real_time`` its time runs as fast as the engine can follow.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.core.audio import FRAME_SAMPLES, TELEPHONY, AudioFrame, Samples
from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.core.units import SampleIndex, Seconds
from engine.telephony.inbox import Clock
from engine.telephony.leg import Gone, Incoming, Key, Sound

PATIENCE: Final = Seconds(30.0)


@dataclass(frozen=True, slots=True)
class Transferred:
    """Where the engine sent the caller."""

    destination: str

    context: Mapping[str, str]


class WavLeg:
    """A caller who says what is on a recording, then is silent for ``patience`` and hangs up."""

    lead = Seconds(0.0)

    def __init__(
        self,
        recording: AudioFrame,
        facts: CallFacts,
        *,
        real_time: bool,
        keys: Sequence[tuple[Seconds, int]] = (),
        patience: Seconds = PATIENCE,
        clock: Clock = time.monotonic,
    ) -> None:
        """``keys`` are pressed at their time on the recording, by ASCII code, in order of time.

        Raises:
            MediaError: the recording is not 8 kHz.
        """
        if recording.format != TELEPHONY:
            raise MediaError(f"expected a recording of {TELEPHONY.rate_hz} Hz, found {recording.format.rate_hz} Hz")
        self.facts = facts
        self.real_time = real_time
        self.transferred: Transferred | None = None
        self._samples = recording.samples
        self._keys = deque(sorted(keys, key=lambda key: key[0]))
        self._last = max(len(recording.samples), *(TELEPHONY.samples(at) for at, _ in keys), 0) + TELEPHONY.samples(patience)
        self._clock = clock
        self._opened: float | None = None
        self._position = 0  # samples the engine has been given
        self._ear = _Ear()
        self._gone: Gone | None = None

    @property
    def position(self) -> Seconds:
        """Where the caller is on the call's timeline."""
        return TELEPHONY.seconds(self._position)

    @property
    def heard(self) -> AudioFrame:
        """What the caller has heard so far, silence included, on the call's timeline."""
        return AudioFrame(self._ear.until(self._position))

    @property
    def gone(self) -> Gone | None:
        """How the call ended, or ``None`` while it goes on."""
        return self._gone

    async def receive(self) -> Incoming:
        """See :class:`engine.telephony.leg.Leg`. Safe to cancel."""
        await self._due()
        if self._gone is None and self._position >= self._last:
            self._gone = Gone()
        if self._gone is not None:
            return self._gone
        if self._keys and self._keys[0][0] <= self.position:
            return Key(self._keys.popleft()[1])
        piece = self._samples[self._position : self._position + FRAME_SAMPLES]
        frame = AudioFrame(np.pad(piece, (0, FRAME_SAMPLES - len(piece))), start=SampleIndex(self._position))
        self._position += FRAME_SAMPLES
        return Sound(frame)

    async def send(self, frame: AudioFrame) -> None:
        """See :class:`engine.telephony.leg.Leg`."""
        if self._gone is None:
            self._ear.take(frame.samples, self._position)

    async def flush(self) -> None:
        """See :class:`engine.telephony.leg.Leg`."""
        self._ear.forget(self._position)

    async def transfer(self, destination: str, context: Mapping[str, str]) -> bool:
        """See :class:`engine.telephony.leg.Leg`."""
        if self._gone is not None:
            return False
        self.transferred = Transferred(destination, dict(context))
        self._gone = Gone("transferred")
        return True

    async def hang_up(self) -> None:
        """See :class:`engine.telephony.leg.Leg`."""
        self._gone = self._gone or Gone("ended")

    async def _due(self) -> None:
        """Wait until the next frame has been spoken to its end."""
        if not self.real_time:
            await asyncio.sleep(0)
            return
        if self._opened is None:
            self._opened = self._clock()
        ends = self._opened + TELEPHONY.seconds(self._position + FRAME_SAMPLES)
        await asyncio.sleep(max(0.0, ends - self._clock()))


class _Ear:
    """The far end's buffer: plays what it is sent without holes, and at once when it was empty."""

    def __init__(self) -> None:
        self._sound = np.zeros(0, np.int16)
        self._filled = 0  # samples, up to the end of what was sent

    def take(self, samples: Samples, now: int) -> None:
        start = max(now, self._filled)
        self._filled = start + len(samples)
        if self._filled > len(self._sound):
            self._sound = np.pad(self._sound, (0, max(self._filled, 2 * len(self._sound)) - len(self._sound)))
        self._sound[start : self._filled] = samples

    def forget(self, now: int) -> None:
        self._sound[now:] = 0
        self._filled = min(self._filled, now)

    def until(self, now: int) -> Samples:
        end = max(now, self._filled)
        sound = self._sound[:end]
        return np.pad(sound, (0, end - len(sound)))
