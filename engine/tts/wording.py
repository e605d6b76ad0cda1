"""Turns values and prompt texts into words a voice can say: no digits, no currency signs.

A prompt's text holds ``{slot}`` or ``{slot:kind}``. :func:`fill` puts worded values there; :func:`fragments` keeps the fixed
parts apart from the values, so that most of a sentence comes from the prompt cache.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.core.errors import ConfigError
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.tts import values as read
from engine.tts.languages.chinese import Chinese
from engine.tts.languages.english import English
from engine.tts.languages.protocol import SpokenLanguage
from engine.tts.languages.russian import Russian

_LANGUAGES: Mapping[Language, SpokenLanguage] = {ENGLISH: English(), RUSSIAN: Russian(), CHINESE: Chinese()}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NUMERAL = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_ONLY_MARKS = re.compile(r"[\W_]*")
_COUNTED = re.compile(r"(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,6})?")  # anything longer in free text names something: digit by digit


class Kind(StrEnum):
    """How a value is worded; the part after the colon in ``{amount:money}``."""

    TEXT = "text"
    """As it stands, numerals in it said as numbers."""
    NUMBER = "number"
    ORDINAL = "ordinal"
    MONEY = "money"
    """``1250.00 RUB``."""
    DATE = "date"
    """``2026-11-21``."""
    TIME = "time"
    """``09:30``."""
    MOMENT = "moment"
    """``2026-11-21T09:30``: the day, and the time."""
    NAME = "name"
    """Of a person, as lists write it: ``Mr. ALEX MORGAN``."""
    DIGITS = "digits"
    """One by one, in groups."""
    PHONE = "phone"
    """E.164, or a national number."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A stretch of a prompt that is spoken as one."""

    text: str
    """Worded."""

    place: int | None = None
    """Which fixed part of the prompt it is, counted from 1; ``None`` for a value, which differs from call to call."""


def word(value: str, kind: str, language: Language) -> str:
    """Say ``value`` in the words of ``language``.

    Raises:
        ConfigError: the kind or the language is unknown, or the value is not of the kind's normal form.
    """
    words = _WORDERS.get(kind)
    if words is None:
        raise ConfigError(f"expected one of the kinds {', '.join(Kind)}, found {kind!r}")
    try:
        return words(value, _spoken(language))
    except ValueError as error:
        raise ConfigError(f"a value of the kind {kind}: {error}") from error


def fill(text: str, values: Mapping[str, str], language: Language) -> str:
    """Put worded values into a prompt's text.

    Raises:
        ConfigError: a value is missing or can't be worded; names the text and the slot.
    """
    return _PLACEHOLDER.sub(lambda match: _value(text, match[1], values, language), text)


def fragments(text: str, values: Mapping[str, str], language: Language) -> tuple[Fragment, ...]:
    """Cut a prompt's text into fixed parts and worded values, in the order of speech.

    Punctuation between two values goes with the one before it. The fixed parts are those of :func:`fixed_parts`.

    Raises:
        ConfigError: as :func:`fill`.
    """
    found: list[Fragment] = []
    place = 0
    for index, part in enumerate(_PLACEHOLDER.split(text)):
        if index % 2:
            found.append(Fragment(_value(text, part, values, language)))
        elif not _ONLY_MARKS.fullmatch(part):
            place += 1
            found.append(Fragment(part.strip(), place))
        elif found:
            found[-1] = Fragment(found[-1].text + part.strip(), found[-1].place)
    return tuple(found)


def fixed_parts(text: str) -> tuple[str, ...]:
    """Give the parts of a prompt's text that are the same in every call, to be rendered before the first."""
    return tuple(part.strip() for part in _PLACEHOLDER.split(text)[::2] if not _ONLY_MARKS.fullmatch(part))


def readable(text: str, language: Language) -> str:
    """Word the numerals of a fixed text ("press 1"); a language without wording is left to its voice."""
    return _text(text, _LANGUAGES[language]) if language in _LANGUAGES else text


def _value(text: str, placeholder: str, values: Mapping[str, str], language: Language) -> str:
    slot, _, kind = placeholder.partition(":")
    if slot not in values:
        raise ConfigError(f"the prompt {text!r} expected a value for {slot!r}, found values for {', '.join(values) or 'nothing'}")
    try:
        return word(values[slot], kind or Kind.TEXT, language)
    except ConfigError as error:
        raise ConfigError(f"the prompt {text!r}, slot {slot!r}: {error}") from error


def _spoken(language: Language) -> SpokenLanguage:
    if language not in _LANGUAGES:
        raise ConfigError(f"expected one of the languages {', '.join(_LANGUAGES)}, found {language!r}")
    return _LANGUAGES[language]


def _text(value: str, spoken: SpokenLanguage) -> str:
    return _NUMERAL.sub(lambda match: _numeral(match, spoken), value)


def _numeral(match: re.Match[str], spoken: SpokenLanguage) -> str:
    """Word a run of digits inside free text, apart from the letters it touches."""
    run, text = match[0], match.string
    words = spoken.number(read.read_number(run)) if _COUNTED.fullmatch(run) else _digits(run.replace(".", ""), spoken)
    before = spoken.space if text[: match.start()][-1:].isalnum() else ""
    after = spoken.space if text[match.end() :][:1].isalnum() else ""
    return before + words + after


def _digits(value: str, spoken: SpokenLanguage) -> str:
    return spoken.pause.join(spoken.digits(group) for group in read.read_digits(value))


_WORDERS: Mapping[str, Callable[[str, SpokenLanguage], str]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: lambda value, spoken: spoken.number(read.read_number(value)),
    Kind.ORDINAL: lambda value, spoken: spoken.ordinal(read.read_place(value)),
    Kind.MONEY: lambda value, spoken: spoken.money(read.read_money(value)),
    Kind.DATE: lambda value, spoken: spoken.date(read.read_date(value)),
    Kind.TIME: lambda value, spoken: spoken.time(read.read_time(value)),
    Kind.MOMENT: lambda value, spoken: spoken.moment(read.read_moment(value)),
    Kind.NAME: lambda value, spoken: spoken.name(read.read_name(value)),
    Kind.DIGITS: _digits,
    Kind.PHONE: lambda value, spoken: spoken.phone(read.read_phone(value, spoken.region)),
}
