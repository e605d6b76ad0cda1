"""Who is on which channel of a recording, and where they speak."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.asr.diarizer import Diarizer
from engine.asr.stretches import Cutting, Stretch
from engine.asr.voice_map import VoiceMap
from engine.audio.recording import Recording
from engine.audio.resample import resample
from engine.core.audio import WIDEBAND, AudioFrame
from engine.core.call import Speaker
from engine.core.units import SampleIndex, Seconds

_PAD = Seconds(0.12)  # kept on either side of a voice: quiet consonants
_SAME = 0.95  # correlation of two channels from which on they are one that was stored twice; a real call's is near 0
_BLOCK = 1 << 18  # samples compared at a time


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """A stretch of one channel."""

    speaker: Speaker | None
    channel: AudioFrame
    stretch: Stretch

    @property
    def start(self) -> Seconds:
        """Where its sound begins."""
        return Seconds(max(0.0, self.stretch.start - _PAD))

    def sound(self) -> AudioFrame:
        """At 16 kHz, with a little of what lies around it."""
        format = self.channel.format
        first, last = format.samples(self.start), format.samples(Seconds(self.stretch.end + _PAD))
        return resample(AudioFrame(self.channel.samples[first:last], format, SampleIndex(0)), WIDEBAND)


@dataclass(frozen=True, slots=True, eq=False)
class HeardChannel:
    """One channel and its voice."""

    speaker: Speaker | None
    sound: AudioFrame
    utterances: tuple[Utterance, ...]


def heard_channels(
    recording: Recording, left: Speaker, voice: VoiceMap, cutting: Cutting, diarizer: Diarizer | None
) -> Iterator[HeardChannel]:
    """Each channel with its utterances; ``left`` speaks on the first of two. Of a single one only a ``diarizer`` knows."""
    for speaker, channel in by_speaker(recording, left):
        found = voice.stretches(channel, cutting)
        speakers: Sequence[Speaker | None] = [speaker] * len(found)
        if speaker is None and diarizer is not None:
            speakers = diarizer.speakers(channel, found)
        utterances = (Utterance(who, channel, stretch) for who, stretch in zip(speakers, found, strict=True))
        yield HeardChannel(speaker, channel, tuple(utterances))


def by_speaker(recording: Recording, left: Speaker) -> list[tuple[Speaker | None, AudioFrame]]:
    """The channels with who speaks on them; of more than two only the first two. One sound stored twice is one channel."""
    first, *others = recording.channels
    if not others or _same(first, others[0]):
        return [(None, first)]
    right = Speaker.AGENT if left is Speaker.CALLER else Speaker.CALLER
    return [(left, first), (right, others[0])]


def _same(one: AudioFrame, other: AudioFrame) -> bool:
    """Whether two channels hold the same sound, be it at another loudness; by their correlation."""
    across = energy = other_energy = 0.0
    for offset in range(0, len(one.samples), _BLOCK):
        first = one.samples[offset : offset + _BLOCK].astype(np.float32)
        second = other.samples[offset : offset + _BLOCK].astype(np.float32)
        across += float(first @ second)
        energy += float(first @ first)
        other_energy += float(second @ second)
    return across > _SAME * math.sqrt(energy * other_energy)
