"""What was said: words with times and calibrated confidence."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.core.units import Confidence, Language, Seconds

ENGLISH = Language("en")
RUSSIAN = Language("ru")
CHINESE = Language("zh")

_WRITTEN_WITHOUT_SPACES = frozenset({CHINESE})


@dataclass(frozen=True, slots=True)
class Word:
    """One word, where it lies, and how likely it is right."""

    text: str

    start: Seconds
    """On the timeline of the audio that was given to the recogniser."""

    end: Seconds
    """Never before ``start``."""

    confidence: Confidence | None = None
    """Calibrated; ``None`` where the back end can't say."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one stretch of speech says; a partial and a final are the same type."""

    words: tuple[Word, ...] = ()

    language: Language = ENGLISH

    confidence: Confidence | None = None
    """Calibrated probability that **every** word is right; ``None`` where the back end can't say."""

    final: bool = True
    """Whether the recogniser has heard the whole stretch."""

    alternatives: tuple[str, ...] = ()
    """Other readings of the same sound, likeliest first, without the chosen one."""

    recogniser: str = ""
    """The back end that heard it, as the registry calls it."""

    rejected: bool = False
    """The sound does not fit what the question allows (a constrained grammar's verdict); the words are only its nearest guess."""

    @property
    def text(self) -> str:
        """The words as they are written in the language."""
        return ("" if self.language in _WRITTEN_WITHOUT_SPACES else " ").join(word.text for word in self.words)

    def later(self, by: Seconds) -> Transcript:
        """The same words on a timeline on which the sound begins at ``by``."""
        moved = (replace(word, start=Seconds(word.start + by), end=Seconds(word.end + by)) for word in self.words)
        return replace(self, words=tuple(moved))

    def __bool__(self) -> bool:
        """Whether anything was said at all."""
        return bool(self.words)


NOTHING = Transcript()
"""No words: silence, noise, music, tones."""
