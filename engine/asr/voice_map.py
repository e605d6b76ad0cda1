"""The voice in a whole channel of a recording, for little: WebRTC's detector first, Silero's network where it hears one.

On a two-channel call each side is silent most of the time. WebRTC (0.1 ms of CPU for a second of sound) takes that silence away
and misses next to nothing (0.1 % of what Silero took for a voice, on a real call); the network (1.8 ms) decides about the rest.
A channel is read in blocks, so that hours of sound are never held a second time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from engine.asr.backends.silero_vad import STATE, WINDOW, SileroModel
from engine.asr.backends.webrtc_vad import WebRtcVoiceActivity
from engine.asr.stretches import Cutting, Floats, Stretch, stretches
from engine.audio.resample import resample
from engine.core.audio import FRAME, TELEPHONY, WIDEBAND, AudioFrame
from engine.core.units import SampleIndex, Seconds

STEP = Seconds(0.032)  # of the network: 512 new samples of 16 kHz
_STEP_SAMPLES = WIDEBAND.samples(STEP)
_CONTEXT = WINDOW - _STEP_SAMPLES  # samples before, that it hears again
_BLOCK = Seconds(60.0)
_USUAL = Cutting()
_LEAD = Seconds(0.16)  # what the network hears before the cheap detector woke it, and after it fell silent
_APART = Seconds(0.5)  # shorter silences of the cheap detector are heard by the network too, which has a memory


class VoiceMap:
    """The two detectors; may be shared, holds nothing of any sound."""

    def __init__(self, network: SileroModel | None = None) -> None:
        self._network = network or SileroModel()

    def stretches(self, channel: AudioFrame, cutting: Cutting = _USUAL) -> list[Stretch]:
        """Where somebody speaks, in seconds from the channel's first sample."""
        return stretches(self.probabilities(channel), STEP, cutting)

    def probabilities(self, channel: AudioFrame) -> Floats:
        """The probability of a voice in each ``STEP`` of the channel; 0.0 where the cheap detector hears none."""
        voice = np.zeros(int(channel.duration / STEP) + 1, np.float32)
        for first, last in _awake(_cheap(channel)):
            wide = resample(_part(channel, Seconds(first * STEP), Seconds(last * STEP)), WIDEBAND)
            heard = self._heard(wide.samples.astype(np.float32) / np.float32(32768))
            voice[first : first + len(heard)] = heard[: len(voice) - first]
        return voice

    def _heard(self, sound: Floats) -> Floats:
        whole = np.pad(sound, (_CONTEXT, -len(sound) % _STEP_SAMPLES))
        windows = np.lib.stride_tricks.sliding_window_view(whole, WINDOW)[::_STEP_SAMPLES]
        probabilities, _, _ = self._network.hear_on(windows, np.zeros(STATE, np.float32), np.zeros(STATE, np.float32))
        return probabilities


def _cheap(channel: AudioFrame) -> npt.NDArray[np.bool_]:
    """What WebRTC says, for each ``STEP``: whether it heard a voice in any of the 20 ms that touch it."""
    detector = WebRtcVoiceActivity()
    blocks = (resample(block, TELEPHONY) for block in _blocks(channel))
    voiced = np.fromiter((said for block in blocks for said in detector.each(block)), np.bool_)
    found = np.zeros(int(channel.duration / STEP) + 1, np.bool_)
    at = np.flatnonzero(voiced) * FRAME
    for edge in (at, at + FRAME - 1e-6):
        found[np.minimum((edge / STEP).astype(int), len(found) - 1)] = True
    return found


def _awake(voiced: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """The runs of steps that the network is to hear."""
    lead = round(_LEAD / STEP)
    for run in stretches(voiced.astype(np.float32), STEP, Cutting(shortest=Seconds(0.0), pause=_APART, longest=_BLOCK)):
        yield max(0, round(run.start / STEP) - lead), min(len(voiced), round(run.end / STEP) + lead)


def _blocks(channel: AudioFrame) -> Iterator[AudioFrame]:
    length = channel.format.samples(_BLOCK)
    for offset in range(0, len(channel.samples), length):
        yield AudioFrame(channel.samples[offset : offset + length], channel.format, SampleIndex(offset))


def _part(channel: AudioFrame, start: Seconds, end: Seconds) -> AudioFrame:
    first, last = channel.format.samples(start), channel.format.samples(end)
    return AudioFrame(channel.samples[first:last], channel.format, SampleIndex(first))
