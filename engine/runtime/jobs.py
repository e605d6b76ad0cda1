"""What the engine asks of its model workers, and what it gets back. Plain values: they cross a process boundary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from engine.asr.protocol import Hints
from engine.core.audio import AudioFormat, AudioFrame
from engine.core.speech import Transcript
from engine.core.units import Confidence, Language, Seconds
from engine.nlu.interpretation import Interpretation, Question
from engine.tts.protocol import VoiceCapabilities


class Urgency(IntEnum):
    """Who waits for it; smaller goes first."""

    TURN = 0  # a caller who has stopped talking
    SECOND = 1  # the second opinion on an unsure turn
    PARTIAL = 2  # a caller who still talks: the first to be dropped
    BATCH = 3  # recordings


@dataclass(frozen=True, slots=True)
class Recognise:
    """Hear one utterance and say what it means."""

    pcm: bytes
    """int16, little endian."""

    format: AudioFormat

    hints: Hints

    question: Question

    flow: str
    """The revision of the flow whose intents count."""

    @classmethod
    def of(cls, sound: AudioFrame, hints: Hints, question: Question, flow: str) -> Recognise:
        """Pack an utterance for the journey."""
        return cls(sound.samples.astype("<i2", copy=False).tobytes(), sound.format, hints, question, flow)

    @property
    def sound(self) -> AudioFrame:
        """The utterance, from sample 0."""
        return AudioFrame(np.frombuffer(self.pcm, dtype="<i2").astype(np.int16, copy=False), self.format)


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Hear one utterance; what it means is nobody's question. Its answer is a ``Transcript``."""

    pcm: bytes
    """int16, little endian."""

    format: AudioFormat

    hints: Hints

    @classmethod
    def of(cls, sound: AudioFrame, hints: Hints) -> Transcribe:
        """Pack an utterance for the journey."""
        return cls(sound.samples.astype("<i2", copy=False).tobytes(), sound.format, hints)

    @property
    def sound(self) -> AudioFrame:
        """The utterance, from sample 0."""
        return AudioFrame(np.frombuffer(self.pcm, dtype="<i2").astype(np.int16, copy=False), self.format)


@dataclass(frozen=True, slots=True)
class Understood:
    """One utterance, heard and interpreted."""

    transcript: Transcript

    interpretation: Interpretation

    worked: Seconds = field(default=Seconds(0.0), compare=False)
    """Wall time the worker spent on the batch it was in."""

    finished: Confidence | None = field(default=None, compare=False)
    """Probability that the caller has said it all, as the words go; ``None``: it can't be told."""


@dataclass(frozen=True, slots=True)
class Interpret:
    """Say what typed words mean (a silent agent's)."""

    transcript: Transcript

    question: Question

    flow: str


@dataclass(frozen=True, slots=True)
class Speak:
    """Say a prompt."""

    prompt: str
    """Its name, for the bank's own recording."""

    language: Language

    text: str
    """With ``{slot}`` still standing where a value goes."""

    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spoken:
    """The sound of a prompt."""

    pcm: bytes
    """int16, little endian, 8 kHz."""

    @property
    def sound(self) -> AudioFrame:
        """The sound, from sample 0."""
        return AudioFrame(np.frombuffer(self.pcm, dtype="<i2").astype(np.int16, copy=False))


@dataclass(frozen=True, slots=True)
class Render:
    """Put these into the prompt cache's folder."""

    texts: tuple[tuple[str | None, Language, str], ...]
    """Prompt id or ``None``, language, text."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """They are there."""

    voices: Mapping[Language, tuple[str, VoiceCapabilities]]
    """The name and card of each language's voice."""
