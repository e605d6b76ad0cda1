"""Makes a call's timeline out of what a peer sends, whenever it sends it.

Rules. Sound is given on as it arrives, cut into 20 ms; it is never held back. When nothing has come for ``PATIENCE`` beyond the
end of the timeline, silence is filled in, one frame at a time, so that the timeline never falls further behind the wall clock.
What then still arrives goes behind the silence: nothing that was said is lost, and the next pause of the peer is not filled until
the wall clock has caught up. A peer that sends faster than time passes (a fast clock, a flood) loses what would lie more than
``MOST_AHEAD`` in front; one that has lost ``MOST_LOST`` does not play a call's sound and is refused.

Pure: the time comes as an argument, in seconds of any one clock.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.core.audio import FRAME_SAMPLES, TELEPHONY, AudioFrame, Samples
from engine.core.errors import MediaError
from engine.core.units import SampleIndex, Seconds
from engine.telephony.leg import Sound

PATIENCE: Final = Seconds(0.060)  # three frames: the jitter of a busy network, and the least a filled gap is late
MOST_AHEAD: Final = Seconds(2.0)  # a clock that is 0.1 % fast gains that in half an hour
MOST_LOST: Final = Seconds(10.0)  # that clock takes hours to lose it, a flood does at once
_NO_SOUND: Final[Samples] = np.zeros(0, np.int16)
_SILENT_FRAME: Final[Samples] = np.zeros(FRAME_SAMPLES, np.int16)


class Timeline:
    """One leg's incoming sound on the wall clock."""

    def __init__(self, now: Seconds, patience: Seconds = PATIENCE) -> None:
        self._opened = now
        self._patience = patience
        self._given = 0  # samples
        self._partial = _NO_SOUND  # less than a frame
        self._lost = 0  # samples

    @property
    def deadline(self) -> Seconds:
        """When silence is due unless sound comes first."""
        return Seconds(self._opened + TELEPHONY.seconds(self._given + len(self._partial)) + self._patience)

    def arrive(self, samples: Samples, now: Seconds) -> list[Sound]:
        """Take sound of any length (8 kHz); give the frames it completes.

        Raises:
            MediaError: the peer floods.
        """
        room = TELEPHONY.samples(Seconds(now - self._opened + MOST_AHEAD)) - self._given - len(self._partial)
        if len(samples) > room:
            samples = self._cut(samples, max(0, room))
        sound = np.concatenate([self._partial, samples]) if len(self._partial) else samples
        whole = len(sound) - len(sound) % FRAME_SAMPLES
        self._partial = sound[whole:].copy() if whole < len(sound) else _NO_SOUND
        return [self._next(sound[at : at + FRAME_SAMPLES]) for at in range(0, whole, FRAME_SAMPLES)]

    def fill(self, now: Seconds) -> Sound | None:
        """Give a frame of silence if it is due; ask again until there is none. A half-filled frame is filled up."""
        if now < self.deadline:
            return None
        partial, self._partial = self._partial, _NO_SOUND
        return self._next(np.concatenate([partial, _SILENT_FRAME[len(partial) :]]), filled=len(partial) == 0)

    def _cut(self, samples: Samples, room: int) -> Samples:
        self._lost += len(samples) - room
        if TELEPHONY.seconds(self._lost) > MOST_LOST:
            raise MediaError(f"expected sound as fast as it is spoken, found {MOST_LOST:g} s more of it")
        return samples[:room]

    def _next(self, samples: Samples, *, filled: bool = False) -> Sound:
        frame = AudioFrame(samples, start=SampleIndex(self._given))
        self._given += FRAME_SAMPLES
        return Sound(frame, filled)
