"""Voice detectors by name.

==========  ===========================================================================================================
``webrtc``  as good as free; on a quiet line as good as the others, in noise useless
``silero``  a network, 5 ms of CPU for a second of sound
``both``    the network hears only what webrtc takes for a voice: as good as ``silero`` or better, for half of the work
==========  ===========================================================================================================

``python -m bench.vad`` compares them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.asr.vad import VoiceActivity
from engine.core.audio import AudioFrame
from engine.core.errors import ConfigError

DETECTORS = ("webrtc", "silero", "both")
DEFAULT_DETECTOR = "both"


class PatientVoiceActivity(VoiceActivity, Protocol):
    """A detector that is not asked about every frame when it comes."""

    def catch_up(self, frames: Sequence[AudioFrame]) -> bool:
        """Hear frames that follow each other (20 ms of 8 kHz each, at least one); whether the last of them holds a voice.

        Raises:
            MediaError: a frame is not 20 ms of 8 kHz.
        """


class CascadeVoiceActivity:
    """A cheap detector wakes a good one, which then decides.

    While the cheap one hears nothing, the newest frames are kept, so that the good one hears how the sound began.
    """

    def __init__(self, cheap: VoiceActivity, good: PatientVoiceActivity, *, kept: int = 5) -> None:
        """``kept`` frames of 20 ms; the good detector hears them all at once when it wakes."""
        self._cheap, self._good = cheap, good
        self._kept: deque[AudioFrame] = deque(maxlen=kept)

    @property
    def lag_s(self) -> float:
        """The good detector's: it is the one that lets a voice end."""
        return self._good.lag_s

    def is_speech(self, frame: AudioFrame) -> bool:
        """Whether both hear a voice in the newest 20 ms (8 kHz).

        Raises:
            MediaError: the frame is not 20 ms of 8 kHz.
        """
        if not self._cheap.is_speech(frame):
            self._kept.append(frame)
            return False
        frames = [*self._kept, frame]
        self._kept.clear()
        return self._good.catch_up(frames)


def make_vad(name: str = DEFAULT_DETECTOR) -> Callable[[], VoiceActivity]:
    """Load what the detector needs; what is given back makes one for each leg. The legs share what was loaded.

    Raises:
        ConfigError: no detector has that name.
        ModelNotFound: its network is not there.
    """
    if name not in DETECTORS:
        raise ConfigError(f"expected a voice detector of {', '.join(DETECTORS)}, found {name!r}")
    from engine.asr.backends.webrtc_vad import WebRtcVoiceActivity  # noqa: PLC0415 - heavy libraries load when they are wanted

    if name == "webrtc":
        return WebRtcVoiceActivity
    from engine.asr.backends.silero_vad import SileroModel, SileroVoiceActivity  # noqa: PLC0415

    model = SileroModel()
    if name == "silero":
        return lambda: SileroVoiceActivity(model)
    return lambda: CascadeVoiceActivity(WebRtcVoiceActivity(), SileroVoiceActivity(model))
