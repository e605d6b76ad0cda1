"""A turn of a recording; and recordings of calls heard as a live call would be: cut where the endpointer would have cut, with the
live recognisers, the unsure turns twice. Recordings in bulk are heard by :mod:`engine.runtime.batch.hearing`, for much less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.asr.detectors import make_vad
from engine.asr.endpoint_policy import EndpointPolicy
from engine.asr.phrasing import Drop, Ended, Phrasing, Try
from engine.asr.protocol import Hints, Recogniser
from engine.asr.two_pass import Agreement, TwoPassPolicy, choose, wants_second
from engine.audio.files import Recording, read
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFrame
from engine.core.call import Speaker
from engine.core.speech import Transcript
from engine.core.units import Confidence, Language, SampleIndex, Seconds

_TAIL = Seconds(0.3)  # kept after the voice's end: quiet consonants, and what a recogniser needs to see it end
_WAITS = EndpointPolicy(
    decode_after=_TAIL, complete_wait=_TAIL, partial_every=Seconds(0.0), take_back=Seconds(0.0)
)  # a turn ends after unknown_wait, as in a call
_BATCH = 4
_AS_LONG_AS_IT_TAKES = Seconds(60.0)


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """One stretch of one speaker's."""

    speaker: Speaker | None
    """``None`` where nobody can tell."""

    start: Seconds
    end: Seconds
    transcript: Transcript
    """Times count from the recording's start."""

    def as_json(self) -> dict[str, Any]:
        """As every transcript of ours has it: times in seconds, a confidence that is unknown as ``null``."""
        return {
            "speaker": self.speaker.value if self.speaker else "unknown",
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "text": self.transcript.text,
            "confidence": _rounded(self.transcript.confidence),
            "words": [
                {"text": it.text, "start": round(it.start, 3), "end": round(it.end, 3), "confidence": _rounded(it.confidence)}
                for it in self.transcript.words
            ],
        }


def _rounded(confidence: Confidence | None) -> float | None:
    return None if confidence is None else round(confidence, 3)


@dataclass(frozen=True, slots=True)
class Transcriber:
    """Hears as in a call. ``second`` hears the turns again that ``first`` is unsure of."""

    first: Recogniser
    second: Recogniser | None = None
    agreement: Agreement | None = None
    policy: TwoPassPolicy = TwoPassPolicy()
    detector: str = "both"

    def transcribe(self, path: Path, language: Language) -> tuple[SpokenTurn, ...]:
        """All turns of a sound file, by their start; a two-channel file has the caller on the left.

        Raises:
            MediaError: it can't be read.
            ModelError: a recogniser failed.
        """
        turns = [turn for speaker, channel in _by_speaker(read(path)) for turn in self.hear(channel, speaker, language)]
        return tuple(sorted(turns, key=lambda turn: turn.start))

    def hear(self, channel: AudioFrame, speaker: Speaker, language: Language) -> Iterator[SpokenTurn]:
        """The turns of one channel."""
        wide = resample(channel, WIDEBAND)
        spans = list(self.spans(channel))
        for first in range(0, len(spans), _BATCH):
            batch = spans[first : first + _BATCH]
            sounds = [_cut(wide, start, end) for start, end in batch]
            for (start, end), transcript in zip(batch, self._words(sounds, Hints(language)), strict=True):
                if transcript:
                    yield SpokenTurn(speaker, start, end, transcript.later(start))

    def spans(self, channel: AudioFrame) -> Iterator[tuple[Seconds, Seconds]]:
        """Where somebody speaks: what the live endpointer would have taken for turns; nothing is lost of who never pauses."""
        phrasing = Phrasing(make_vad(self.detector)(), policy=_WAITS)
        begin = end = Seconds(0.0)
        for cue in (*phrasing.hear(resample(channel, TELEPHONY)), *phrasing.finish()):
            match cue:
                case Try(sound=sound):
                    begin, end = sound.start_s, sound.end_s
                case Ended():
                    yield begin, Seconds(min(end, channel.duration))
                case Drop():
                    pass

    def _words(self, sounds: Sequence[AudioFrame], hints: Hints) -> list[Transcript]:
        first = self.first.recognise(sounds, [hints] * len(sounds))
        if self.second is None:
            return first
        unsure = [n for n, heard in enumerate(first) if wants_second(heard, _AS_LONG_AS_IT_TAKES, self.policy)]
        again = self.second.recognise([sounds[n] for n in unsure], [hints] * len(unsure)) if unsure else []
        for n, second in zip(unsure, again, strict=True):
            first[n] = choose(first[n], second, sounds[n].duration, self.policy, self.agreement)
        return first


def together(turns: Sequence[SpokenTurn], language: Language) -> Transcript:
    """All words as one transcript; as sure as its least sure turn. Only a single turn keeps its other readings."""
    if len(turns) == 1:
        return turns[0].transcript
    words = tuple(word for turn in turns for word in turn.transcript.words)
    known = [turn.transcript.confidence for turn in turns if turn.transcript.confidence is not None]
    sure: Confidence | None = min(known) if known and len(known) == len(turns) else None
    return Transcript(words, language, sure, rejected=any(turn.transcript.rejected for turn in turns))


def _by_speaker(recording: Recording) -> list[tuple[Speaker, AudioFrame]]:
    if len(recording.channels) == 1:
        return [(Speaker.CALLER, recording.channels[0])]
    return list(zip(Speaker, recording.channels, strict=False))


def _cut(sound: AudioFrame, start: Seconds, end: Seconds) -> AudioFrame:
    first, last = sound.format.samples(start), sound.format.samples(end)
    return AudioFrame(sound.samples[first:last], sound.format, SampleIndex(0))
