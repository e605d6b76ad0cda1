"""What is heard instead of a secret: one steady low tone, on all channels at once.

It has no edge that fades, no level of its sound left in it, and holds no frequency of the keypad. Its phase is the timeline's, so
that no seam shows where two masks meet, and masking twice gives the same samples.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from engine.audio.recording import Recording
from engine.core.audio import AudioFrame, Samples
from engine.core.units import Seconds

MASK_HZ = 250  # a whole number of periods in every 20 ms, far below any key
MASK_AMPLITUDE = 1_000  # -30 dBFS: heard to be there, not in the way


def mask_tone(first: int, count: int, rate_hz: int) -> Samples:
    """Make ``count`` samples of it, from sample ``first`` of the timeline."""
    moments = np.arange(first, first + count) / rate_hz
    tone: Samples = np.rint(MASK_AMPLITUDE * np.sin(2 * np.pi * MASK_HZ * moments)).astype(np.int16)
    return tone


def masked(recording: Recording, spans: Iterable[tuple[Seconds, Seconds]]) -> Recording:
    """Put the tone over these stretches of all channels; no sample beside them changes."""
    rate, length = recording.format, len(recording.channels[0].samples)
    places = [(max(rate.samples(start), 0), min(rate.samples(end), length)) for start, end in spans]
    channels = tuple(_covered(channel, places) for channel in recording.channels)
    return replace(recording, channels=channels)


def _covered(channel: AudioFrame, places: Iterable[tuple[int, int]]) -> AudioFrame:
    samples = channel.samples.copy()
    for first, last in places:
        samples[first:last] = mask_tone(first, max(last - first, 0), channel.format.rate_hz)
    return AudioFrame(samples, channel.format, channel.start)
