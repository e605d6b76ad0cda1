"""Voice activity: is there a voice in these 20 ms? The contract; back ends lie in ``asr/backends``."""

from __future__ import annotations

from typing import Protocol

from engine.core.audio import AudioFrame


class VoiceActivity(Protocol):
    """One leg's voice detector; holds that leg's state. Runs in the media loop, so it must take well under a millisecond."""

    @property
    def lag_s(self) -> float:
        """How long after the sound its verdict comes, in seconds, as measured; the endpointer counts it in."""

    def is_speech(self, frame: AudioFrame) -> bool:
        """Whether the newest 20 ms (8 kHz) hold a voice.

        Raises:
            MediaError: the frame is not 20 ms of 8 kHz.
        """
