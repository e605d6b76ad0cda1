"""What the caller hears: lays the sound of one play action on the call's timeline, a little ahead of time.

Pure: it is asked what to send up to a moment, and says when the caller has heard it all. One play at a time; a new one
replaces it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, AudioFrame, Samples
from engine.core.units import SampleIndex, Seconds


@dataclass(slots=True)
class _Playing:
    play: int
    barge_in: bool
    samples: Samples
    """Whole frames."""
    sent_to: Seconds
    """Where on the timeline the next frame goes."""
    sent: int = 0
    """Samples of it."""
    ends: Seconds | None = None
    """When the caller has heard the last frame; ``None`` while there are more."""


@dataclass(slots=True)
class Mouth:
    """One leg's outgoing sound."""

    lead: Seconds
    """How far ahead of the caller's time sound is sent."""

    _playing: _Playing | None = field(default=None, init=False)

    @property
    def playing(self) -> int | None:
        """The number of the play that sounds now."""
        return self._playing.play if self._playing else None

    @property
    def interruptible(self) -> bool:
        """Whether a caller's voice may stop what sounds now."""
        return self._playing is not None and self._playing.barge_in

    def start(self, play: int, sound: AudioFrame, now: Seconds, *, barge_in: bool) -> None:
        """Begin to say ``sound`` (8 kHz) at once."""
        missing = -len(sound.samples) % FRAME_SAMPLES
        samples = np.pad(sound.samples, (0, missing)) if missing else sound.samples
        self._playing = _Playing(play, barge_in, samples, now)

    def due(self, now: Seconds) -> Iterator[AudioFrame]:
        """The frames to be sent now, placed on the timeline; a mouth that was kept waiting leaves a gap, it never hurries."""
        playing = self._playing
        if playing is None or playing.ends is not None:
            return
        playing.sent_to = max(playing.sent_to, now)
        while playing.sent_to <= now + self.lead:
            if playing.sent == len(playing.samples):
                playing.ends = playing.sent_to
                return
            samples = playing.samples[playing.sent : playing.sent + FRAME_SAMPLES]
            playing.sent += FRAME_SAMPLES
            yield AudioFrame(samples, TELEPHONY, SampleIndex(TELEPHONY.samples(playing.sent_to)))
            playing.sent_to = Seconds(playing.sent_to + FRAME)

    def done(self, now: Seconds) -> bool:
        """Whether the caller has heard all of it, and :meth:`finished` has not said so yet."""
        playing = self._playing
        return playing is not None and playing.ends is not None and now >= playing.ends

    def finished(self, now: Seconds) -> int | None:
        """The number of the play the caller has just heard to its end, once."""
        if self._playing is None or not self.done(now):
            return None
        finished, self._playing = self._playing.play, None
        return finished

    def stop(self) -> bool:
        """Be silent; whether there was anything to stop."""
        stopped, self._playing = self._playing is not None, None
        return stopped
