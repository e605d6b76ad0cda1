"""Voice activity by WebRTC's Gaussian mixtures: 0.1 ms of CPU for a second of sound; to it, noise is a voice that never ends."""

from __future__ import annotations

from collections.abc import Iterator

import webrtcvad

from engine.asr.vad import checked
from engine.core.audio import FRAME_SAMPLES, TELEPHONY, AudioFrame
from engine.core.errors import MediaError

MODE = 3  # the strictest of 0-3; the others call four frames of a telephone line's silence in five a voice
_FRAME_BYTES = FRAME_SAMPLES * 2


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

    def each(self, sound: AudioFrame) -> Iterator[bool]:
        """Whether each 20 ms of a whole sound (8 kHz) hold a voice, the last filled up with silence; as a frame at a time would.

        For recordings: a frame of its own for each 20 ms costs four times as much as the detector.

        Raises:
            MediaError: the sound is not of 8 kHz.
        """
        if sound.format != TELEPHONY:
            raise MediaError(f"the detector hears {TELEPHONY.rate_hz} Hz, found a sound of {sound.format.rate_hz} Hz")
        octets = sound.samples.tobytes()
        octets += bytes(-len(octets) % _FRAME_BYTES)
        for at in range(0, len(octets), _FRAME_BYTES):
            yield bool(self._detector.is_speech(octets[at : at + _FRAME_BYTES], TELEPHONY.rate_hz))
