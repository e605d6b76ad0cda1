"""Voice activity by WebRTC's Gaussian mixtures: 0.1 ms of CPU for a second of sound; to it, noise is a voice that never ends."""

from __future__ import annotations

import webrtcvad

from engine.asr.vad import checked
from engine.core.audio import AudioFrame

MODE = 3  # the strictest of 0-3; the others call four frames of a telephone line's silence in five a voice


class WebRtcVoiceActivity:
    """One leg's detector. It holds on for 3 to 5 frames after the voice by itself (vad_core.c, ``kOverHangMax``)."""

    lag_s = 0.1

    def __init__(self) -> None:
        self._detector = webrtcvad.Vad(MODE)

    def is_speech(self, frame: AudioFrame) -> bool:
        """Whether the newest 20 ms (8 kHz) hold a voice.

        Raises:
            MediaError: the frame is not 20 ms of 8 kHz.
        """
        return bool(self._detector.is_speech(checked(frame).tobytes(), frame.format.rate_hz))
