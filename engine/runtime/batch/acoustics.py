"""What of a recording is no words: how loud each turn is, where music plays, and what its language is told from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.audio.music import find_music, level_db
from engine.core.audio import WIDEBAND, AudioFrame, joined
from engine.core.units import SampleIndex, Seconds
from engine.qa.spans import Span
from engine.qa.timeline import CallEvent, EventKind
from engine.runtime.batch.channels import HeardChannel
from engine.runtime.transcribe import SpokenTurn

_SAMPLE = Seconds(14.0)  # of speech, from all channels together, to tell a language from


def acoustic_events(channels: Sequence[HeardChannel], turns: Sequence[SpokenTurn]) -> Iterator[CallEvent]:
    """Music and loudness, by their start."""
    music = (event for channel in channels for event in _music(channel))
    yield from sorted([*music, *_loudness(channels, turns)], key=lambda event: (event.span.start, event.span.end))


def sample_of_speech(channels: Sequence[HeardChannel]) -> AudioFrame | None:
    """A few seconds of each channel's longest utterances, at 16 kHz; ``None`` where nobody speaks."""
    speaking = [channel for channel in channels if channel.utterances]
    pieces = [piece for channel in speaking for piece in _longest(channel, Seconds(_SAMPLE / len(speaking)))]
    return joined(pieces) if pieces else None


def _longest(channel: HeardChannel, length: Seconds) -> Iterator[AudioFrame]:
    left = WIDEBAND.samples(length)
    for utterance in sorted(channel.utterances, key=lambda it: -it.stretch.duration):
        if left <= 0:
            return
        samples = utterance.sound().samples[:left]
        left -= len(samples)
        yield AudioFrame(samples, WIDEBAND, SampleIndex(0))


def _music(channel: HeardChannel) -> Iterator[CallEvent]:
    voices = [(it.stretch.start, it.stretch.end) for it in channel.utterances]
    for start, end in find_music(channel.sound, voices):
        yield CallEvent(EventKind.MUSIC, Span(start, end, channel.speaker))


def _loudness(channels: Sequence[HeardChannel], turns: Sequence[SpokenTurn]) -> Iterator[CallEvent]:
    """The mean level of each turn, in dB of full scale."""
    sounds = {channel.speaker: channel.sound for channel in channels}
    for turn in turns:
        sound = sounds.get(turn.speaker, channels[0].sound)
        samples = sound.samples[sound.format.samples(turn.start) : sound.format.samples(turn.end)]
        yield CallEvent(EventKind.LOUDNESS, Span(turn.start, turn.end, turn.speaker), level_db(samples))
