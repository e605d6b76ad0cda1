"""A recogniser that hears what it was told to: for tests of everything above recognition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.asr.protocol import Capabilities, Hints
from engine.core.audio import WIDEBAND, AudioFrame, joined
from engine.core.errors import ConfigError, MediaError, ProtocolError
from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Confidence, Language, Seconds

QUIETEST_VOICE = 200  # peak of int16; below it nothing was said


class ScriptedRecogniser:
    """Hears the given phrases, one utterance after the other, and the last one for ever; in silence it hears nothing.

    ``asked`` keeps what it was asked to hear, in order.
    """

    name = "scripted"

    def __init__(
        self, *phrases: str, sureness: float | None = 0.95, languages: Sequence[Language] = (ENGLISH,), partials: bool = True
    ) -> None:
        self._phrases = list(phrases) or ["hello"]
        self._sureness = None if sureness is None else Confidence(sureness)
        self._capabilities = Capabilities(
            frozenset(languages), partials=partials, word_times=True, confidence=sureness is not None
        )
        self.asked: list[Hints] = []

    @property
    def capabilities(self) -> Capabilities:
        """What it pretends to be able to do."""
        return self._capabilities

    def stream(self, hints: Hints) -> ScriptedStream:
        """Begin to hear the next phrase."""
        if hints.language not in self._capabilities.languages:
            known = ", ".join(sorted(self._capabilities.languages))
            raise ConfigError(f"the scripted recogniser hears {known}, found language {hints.language!r}")
        return ScriptedStream(self, hints)

    def recognise(self, utterances: Sequence[AudioFrame], hints: Sequence[Hints]) -> list[Transcript]:
        """Hear each utterance as the next phrase."""
        transcripts = []
        for sound, hint in zip(utterances, hints, strict=True):
            stream = self.stream(hint)
            stream.feed(sound)
            transcripts.append(stream.finish())
        return transcripts

    def hear(self, sound: AudioFrame, hints: Hints) -> Transcript:
        """The next phrase, its words spread evenly over the sound."""
        self.asked.append(hints)
        if not voiced(sound):
            return Transcript(language=hints.language, recogniser=self.name)
        phrase = self._phrases.pop(0) if len(self._phrases) > 1 else self._phrases[0]
        return Transcript(spread(phrase, sound.duration, self._sureness), hints.language, self._sureness, recogniser=self.name)

    @property
    def next_phrase(self) -> str:
        """What it will hear next."""
        return self._phrases[0]


class ScriptedStream:
    """One utterance; every frame with a voice in it brings a partial of one more word."""

    def __init__(self, recogniser: ScriptedRecogniser, hints: Hints) -> None:
        self._recogniser = recogniser
        self._hints = hints
        self._frames: list[AudioFrame] = []
        self._finished = False
        self._shown = 0

    def feed(self, frame: AudioFrame) -> Transcript | None:
        """Hear 16 kHz sound."""
        self._check_open()
        if frame.format != WIDEBAND:
            raise MediaError(f"the scripted recogniser hears {WIDEBAND.rate_hz} Hz, found {frame.format.rate_hz} Hz")
        self._frames.append(frame)
        words = self._recogniser.next_phrase.split()
        if not self._recogniser.capabilities.partials or not voiced(frame) or self._shown == len(words):
            return None
        self._shown += 1
        heard = joined(self._frames).duration
        shown = spread(" ".join(words[: self._shown]), heard, None)
        return Transcript(shown, self._hints.language, final=False, recogniser=self._recogniser.name)

    def finish(self) -> Transcript:
        """Say the phrase."""
        self._check_open()
        self._finished = True
        if not self._frames:
            return Transcript(language=self._hints.language, recogniser=self._recogniser.name)
        return self._recogniser.hear(joined(self._frames), self._hints)

    def _check_open(self) -> None:
        if self._finished:
            raise ProtocolError("the stream was finished; begin another one for the next utterance")


def voiced(sound: AudioFrame) -> bool:
    """Whether anything is loud enough to be a voice."""
    return bool(len(sound.samples)) and int(np.abs(sound.samples.astype(np.int32)).max()) >= QUIETEST_VOICE


def spread(phrase: str, length: Seconds, sureness: Confidence | None) -> tuple[Word, ...]:
    """The words of ``phrase``, evenly over ``length``."""
    words = phrase.split()
    step = length / max(1, len(words))
    return tuple(Word(word, Seconds(place * step), Seconds((place + 1) * step), sureness) for place, word in enumerate(words))
