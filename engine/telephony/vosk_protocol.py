"""What a client of a vosk-server says: settings, orders and sound; pure.

After alphacep/vosk-server, ``websocket/asr_server.py`` at c2e82f0. ``{"eof" : 1}`` is what its samples send, to the space; any
other spelling of the same JSON does as well.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from engine.asr.grammars import LEXICONS
from engine.asr.phrasing import RATES
from engine.asr.protocol import Grammar, Hints
from engine.core.audio import AudioFormat, Samples
from engine.core.errors import MediaError
from engine.core.speech import ENGLISH
from engine.core.units import Language

UNKNOWN: Final = "[unk]"
_LONGEST_ORDER = 64 * 1024  # characters; a phrase list of a few thousand words
_LONGEST_REASON = 120  # characters; a WebSocket's close frame has room for 123 octets
_EXPECTED = 'expected {"config": {...}}, {"eof" : 1}, {"reset" : 1}, or sound as binary messages'
_TOO_LONG = f"expected a text message of at most {_LONGEST_ORDER} characters"


class BadOrder(MediaError):
    """A text message that can't be followed."""

    def __init__(self, message: str, told: str) -> None:
        """``told`` is what the client learns: short, and nothing of its own words."""
        super().__init__(message)
        self.told = told


class _Changes(BaseModel):
    """What may stand under ``config``; anything else there is ignored, as the original does."""

    sample_rate: float | None = None
    words: bool | None = None
    max_alternatives: int | None = Field(None, ge=0, le=100)
    phrase_list: tuple[Annotated[str, Field(max_length=500)], ...] | None = Field(None, max_length=2000)
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What a client has asked for so far."""

    format: AudioFormat = AudioFormat(8_000)

    model: str | None = None

    phrases: tuple[str, ...] = ()

    words: bool = True
    """Whether replies have the words one by one, with their times."""

    alternatives: int = 0
    """Most readings of a phrase in a reply; 0 = the plain shape without alternatives."""

    def hears_as(self, other: Settings) -> bool:
        """Whether the same recogniser will do."""
        return (self.format, self.model, self.phrases) == (other.format, other.model, other.phrases)

    def hints(self, language: Language) -> Hints:
        """What the recogniser may expect."""
        phrases = tuple(phrase for phrase in self.phrases if phrase.strip() and phrase != UNKNOWN)
        return Hints(language, _grammar(phrases, language), phrases, only_phrases=bool(phrases))


@dataclass(frozen=True, slots=True)
class Configure:
    """``{"config": {…}}``; nothing is replied."""

    changes: _Changes

    def applied(self, to: Settings) -> Settings:
        """The settings from now on."""
        asked = self.changes
        return Settings(
            to.format if asked.sample_rate is None else _format(asked.sample_rate),
            to.model if asked.model is None else asked.model,
            to.phrases if asked.phrase_list is None else asked.phrase_list,
            to.words if asked.words is None else asked.words,
            to.alternatives if asked.max_alternatives is None else asked.max_alternatives,
        )


@dataclass(frozen=True, slots=True)
class Eof:
    """The sound is over: one last reply, then the server closes."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The phrase is over, the sound is not: a final reply."""


Order: TypeAlias = Configure | Eof | Reset


def read_order(text: str) -> Order:
    """Understand a text message.

    Raises:
        BadOrder: it is none of the three, or a field of ``config`` is wrong.
    """
    if len(text) > _LONGEST_ORDER:
        raise BadOrder(f"expected at most {_LONGEST_ORDER} characters, found {len(text)}", _TOO_LONG)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadOrder(f"expected JSON, found {text[:40]!r}", _EXPECTED) from error
    match found:
        case {"config": config}:
            return Configure(_changes(config))
        case {"eof": _}:
            return Eof()
        case {"reset": _}:
            return Reset()
    raise BadOrder(f"expected config, eof or reset, found {text[:40]!r}", _EXPECTED)


def _changes(config: Any) -> _Changes:
    try:
        return _Changes.model_validate(config)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(["config", *map(str, first["loc"][:1])])
        raise BadOrder(f"{field}: {first['msg']}", f"{field}: {first['msg']}"[:_LONGEST_REASON]) from None


def _format(rate_hz: float) -> AudioFormat:
    if rate_hz not in RATES:
        expected = f"config.sample_rate: expected one of {' '.join(map(str, RATES))}"
        raise BadOrder(f"{expected}, found {rate_hz}", expected)
    return AudioFormat(int(rate_hz))


def _grammar(phrases: Sequence[str], language: Language) -> Grammar:
    """The grammar that all of a phrase list fits into, if we have one: digits and yes or no are recognised far better inside."""
    said = {word for phrase in phrases for word in phrase.lower().split()}
    if language != ENGLISH or not said:
        return Grammar.FREE
    return next((known for known in (Grammar.DIGITS, Grammar.YES_NO) if said <= _words_of(known)), Grammar.FREE)


def _words_of(grammar: Grammar) -> frozenset[str]:
    return frozenset(LEXICONS[grammar].words.lower().split())


class PcmStream:
    """16-bit little-endian samples out of messages of any length: half a sample waits for its other half."""

    def __init__(self) -> None:
        self._half = b""

    def feed(self, message: bytes) -> Samples:
        """Take the next message."""
        held = self._half + message
        whole = len(held) - len(held) % 2
        self._half = held[whole:]
        return np.frombuffer(held[:whole], dtype="<i2").astype(np.int16, copy=False)
