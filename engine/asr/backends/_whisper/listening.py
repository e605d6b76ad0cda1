"""Where a voice is in a recording, and how to cut it for a model that hears at most 30 s at a time.

The gate is Silero voice activity (the ONNX file inside the faster-whisper wheel): Whisper must never be asked about silence,
noise or tones, for it answers with words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from faster_whisper.vad import VadOptions, get_speech_timestamps

from engine.core.audio import WIDEBAND
from engine.core.units import Seconds

THRESHOLD = 0.5  # Silero's probability of a voice
SHORTEST = Seconds(0.1)  # of voice; less is a click
PAUSE = Seconds(0.5)  # shorter silences do not part two stretches
PAD = Seconds(0.2)  # kept on either side of a stretch
LONGEST_GAP = Seconds(2.0)  # silence inside one window; longer silence invites invented words


@dataclass(frozen=True, slots=True)
class Window:
    """What is decoded at once, in samples of 16 kHz."""

    start: int
    end: int

    @property
    def duration(self) -> Seconds:
        """How long it lasts."""
        return WIDEBAND.seconds(self.end - self.start)


def windows(sound: npt.NDArray[np.float32], longest: Seconds) -> list[Window]:
    """Cut 16 kHz sound into windows with a voice in them, each at most ``longest``, at silences where there are any."""
    options = VadOptions(
        threshold=THRESHOLD,
        min_speech_duration_ms=round(SHORTEST * 1000),
        max_speech_duration_s=longest,
        min_silence_duration_ms=round(PAUSE * 1000),
        speech_pad_ms=round(PAD * 1000),
    )
    stretches = get_speech_timestamps(sound, options)
    return grouped([Window(stretch["start"], stretch["end"]) for stretch in stretches], longest)


def grouped(stretches: Sequence[Window], longest: Seconds) -> list[Window]:
    """Put neighbours together as long as they fit into ``longest`` and no long silence parts them."""
    groups: list[Window] = []
    for stretch in stretches:
        if groups and _belongs(groups[-1], stretch, longest):
            groups[-1] = Window(groups[-1].start, stretch.end)
        else:
            groups.append(stretch)
    return groups


def _belongs(group: Window, stretch: Window, longest: Seconds) -> bool:
    gap = stretch.start - group.end
    return gap <= WIDEBAND.samples(LONGEST_GAP) and stretch.end - group.start <= WIDEBAND.samples(longest)
