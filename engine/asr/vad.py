"""Voice activity: is there a voice in these 20 ms? The contract; :mod:`engine.asr.detectors` has the detectors by name.

Hysteresis belongs to a detector, which knows its own doubts; how long a voice or a silence must last, to the endpointer. No
detector has a gate of energy before it: at 15 dB over noise, one of 6 dB cost a sixth of the voice's frames.
"""

from __future__ import annotations

from typing import Protocol

from engine.core.audio import FRAME_SAMPLES, TELEPHONY, AudioFrame, Samples
from engine.core.errors import MediaError


class VoiceActivity(Protocol):
    """One leg's voice detector; holds that leg's state. Runs in the media loop, so it must take well under a millisecond."""

    @property
    def lag_s(self) -> float:
        """How long after a voice's end it still says that there is one, in seconds, as measured; the endpointer counts it in.

        The median on a quiet line: where noise makes it longer, waits are longer, never shorter.
        """

    def is_speech(self, frame: AudioFrame) -> bool:
        """Whether the newest 20 ms (8 kHz) hold a voice.

        Raises:
            MediaError: the frame is not 20 ms of 8 kHz.
        """


def checked(frame: AudioFrame) -> Samples:
    """The frame's samples, if it is what every detector hears.

    Raises:
        MediaError: the frame is not 20 ms of 8 kHz.
    """
    if frame.format != TELEPHONY or len(frame.samples) != FRAME_SAMPLES:
        found = f"{len(frame.samples)} samples of {frame.format.rate_hz} Hz"
        raise MediaError(f"a voice detector hears {FRAME_SAMPLES} samples of {TELEPHONY.rate_hz} Hz at a time, found {found}")
    return frame.samples
