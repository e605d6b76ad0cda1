"""The contract between the engine and a voice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from engine.core.audio import AudioFormat, AudioFrame
from engine.core.units import Language


@dataclass(frozen=True, slots=True)
class VoiceCapabilities:
    """What a voice can do; data, never found out by trying."""

    languages: frozenset[Language]

    format: AudioFormat
    """The rate it speaks at; the prompt cache resamples to the line's."""

    streaming: bool = False
    """Whether the first frame comes before the last one is made."""

    revision: str = ""
    """Names what makes it sound as it does (model, speaking rate); another revision is rendered anew by the prompt cache."""


class Voice(Protocol):
    """A loaded voice. Text comes to it already worded (``engine.tts.wording``): no digits, no currency signs."""

    @property
    def name(self) -> str:
        """As the registry calls it."""

    @property
    def capabilities(self) -> VoiceCapabilities:
        """What it can do."""

    def say(self, text: str, language: Language) -> Iterator[AudioFrame]:
        """Speak ``text``; frames follow each other without gaps, from sample 0.

        Raises:
            ConfigError: it does not speak the language.
            ModelBroken: it failed, or took longer than its limit.
        """
