r"""What a vosk-server replies: one text for every message of sound; pure.

To the space as Kaldi's recogniser writes it (vosk 0.3.45). Traps that clients have set, and that replies step around:

* FreeSWITCH's mod_vosk takes a reply for empty where ``""`` stands anywhere in it, and for partial where ``"partial"`` does. So a
  quotation mark inside a text is written ``\u0022``, and the word "partial" ``\u0070artial``.
* What a phrase list can't explain is ``[unk]``, where the list has ``[unk]``.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.asr.normalise import spoken_numbers
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN, Transcript, Word
from engine.core.units import Confidence, Language, Seconds
from engine.telephony.vosk_protocol import UNKNOWN, Settings

_COUNTED = frozenset({ENGLISH, RUSSIAN, CHINESE})  # languages whose numbers we can speak out
_IN_WORDS = "LMN"  # Unicode's letters, marks and numbers
_NO_WORDS = '{"text": ""}'
_NO_ALTERNATIVES = '{"alternatives" : [{"text": "", "confidence" : 1.0}] }'


@dataclass(frozen=True, slots=True)
class Wording:
    """How what was heard is told."""

    plain: bool = True
    """Small letters, no punctuation, numbers as words: as vosk writes. Otherwise as the recogniser writes."""

    unknown_confidence: Confidence | None = None
    """What stands for ``conf`` where the recogniser can't say; ``None`` leaves the field out."""

    def partial(self, heard: Transcript | None, settings: Settings) -> str:
        """The reply while a phrase is open."""
        text = "" if heard is None else _text(self._worded(heard, settings))
        return _written({"partial": text})

    def final(self, phrases: Sequence[Transcript], settings: Settings) -> str:
        """The reply that tells these phrases, as one."""
        if not phrases:
            return _NO_ALTERNATIVES if settings.alternatives else _NO_WORDS
        words = [word for phrase in phrases for word in self._worded(phrase, settings)]
        if settings.alternatives:
            return self._alternatives(phrases, words, settings)
        told = {"result": [self._told(word) for word in words]} if settings.words and words else {}
        return _written({**told, "text": _text(words)})

    def _alternatives(self, phrases: Sequence[Transcript], words: Sequence[Word], settings: Settings) -> str:
        if not words:
            return _NO_ALTERNATIVES
        known = [phrase.confidence for phrase in phrases if phrase]
        sure = min((one for one in known if one is not None), default=None) if None not in known else None
        others = phrases[0].alternatives if len(phrases) == 1 else ()
        readings = [(sure, words), *((None, self._reworded(other, phrases[0], settings)) for other in others)]
        if not words:
            return _NO_ALTERNATIVES
        return _written(
            {"alternatives": [self._reading(sure, said, settings) for sure, said in readings[: settings.alternatives]]}
        )

    def _reading(self, sure: Confidence | None, words: Sequence[Word], settings: Settings) -> dict[str, Any]:
        timed = [{"end": word.end, "start": word.start, "word": word.text} for word in words]
        result = {"result": timed} if settings.words else {}
        return {**self._sureness("confidence", sure), **result, "text": _text(words)}

    def _reworded(self, text: str, chosen: Transcript, settings: Settings) -> list[Word]:
        """Another reading; its words are laid evenly over those of the chosen one, for it has no times of its own."""
        start, end = chosen.words[0].start, chosen.words[-1].end
        return self._worded(replace(chosen, words=tuple(_spread(text.split(), start, end, None))), settings)

    def _told(self, word: Word) -> dict[str, Any]:
        return {**self._sureness("conf", word.confidence), "end": word.end, "start": word.start, "word": word.text}

    def _sureness(self, name: str, sure: Confidence | None) -> dict[str, Confidence]:
        told = self.unknown_confidence if sure is None else sure
        return {} if told is None else {name: told}

    def _worded(self, heard: Transcript, settings: Settings) -> list[Word]:
        plain = [one for word in heard.words for one in _plain(word, heard.language)]
        words = plain if self.plain else list(heard.words)
        if not settings.phrases:
            return words
        if UNKNOWN not in settings.phrases:
            return [] if heard.rejected else words
        listed = {word for phrase in settings.phrases for word in phrase.lower().split()}
        known = [not heard.rejected and word.text.lower() in listed for word in words]
        return list(_unknowns(words, known))


def _plain(word: Word, language: Language) -> Iterator[Word]:
    text = unicodedata.normalize("NFKC", word.text).lower().replace("’", "'")
    if language in _COUNTED and not any(map(str.isalpha, text)):
        text = spoken_numbers(text.replace("-", " "), language)
    letters = "".join(sign if sign == "'" or unicodedata.category(sign)[0] in _IN_WORDS else " " for sign in text)
    return _spread([part for one in letters.split() if (part := one.strip("'"))], word.start, word.end, word.confidence)


def _spread(texts: Sequence[str], start: Seconds, end: Seconds, sure: Confidence | None) -> Iterator[Word]:
    step = (end - start) / max(1, len(texts))
    for place, text in enumerate(texts):
        yield Word(text, Seconds(start + place * step), Seconds(start + (place + 1) * step), sure)


def _unknowns(words: Sequence[Word], known: Sequence[bool]) -> Iterator[Word]:
    """The words, with one ``[unk]`` for each stretch of those that are not known."""
    stretch: Word | None = None
    for word, is_known in zip(words, known, strict=True):
        if is_known:
            yield from () if stretch is None else (stretch,)
            yield word
        stretch = None if is_known else replace(stretch or replace(word, text=UNKNOWN), end=word.end)
    yield from () if stretch is None else (stretch,)


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _written(reply: Mapping[str, Any]) -> str:
    return _json(reply, 1)


def _json(value: Any, depth: int) -> str:
    """JSON as vosk spaces it: two spaces a level, arrays count as one, a space on both sides of the colon, six decimals."""
    match value:
        case Mapping():
            inner, outer = "  " * depth, "  " * (depth - 1)
            fields = ",\n".join(f'{inner}"{name}" : {_json(one, depth + 1)}' for name, one in value.items())
            return f"{{\n{fields}\n{outer}}}"
        case str():
            return _string(value)
        case int() | float():
            return f"{value:.6f}"
        case _:
            return "[" + ", ".join(_json(one, depth + 1) for one in value) + "]"


def _string(text: str) -> str:
    if text == "partial":
        return '"\\u0070artial"'
    return json.dumps(text.replace('"', "\0"), ensure_ascii=False).replace("\\u0000", "\\u0022")
