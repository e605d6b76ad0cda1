"""Dialogues in which a caller tells a secret number, in every way that people do: synthetic, with the truth.

Used by the property tests of :mod:`engine.privacy` and by ``python -m bench.masking``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from engine.core.speech import CHINESE, Transcript, Word
from engine.core.units import Language, Seconds
from engine.privacy import Kind, Turn
from engine.testing.spoken_words import TELLINGS, Telling

_WORD = Seconds(0.35)
_PAUSE = Seconds(0.6)


class Style(StrEnum):
    """How the digits are said."""

    DIGITS = "digit by digit"
    REPEATS = "double and triple"
    PAIRS = "in pairs"
    HUNDREDS = "in hundreds"
    NUMERALS = "numerals"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Manners:
    """What happens between the digits: the chance of each after every group."""

    filler: float = 0.0
    correction: float = 0.0
    other_turn: float = 0.0
    """The agent says something short, and the caller goes on."""

    read_back: float = 0.0
    """The agent repeats the group."""

    error: float = 0.0
    """The recogniser makes another word of the group."""

    tellings: Mapping[Language, Telling] = field(default_factory=lambda: TELLINGS)
    """What is said around the digits."""


CLEAR = Manners()


@dataclass(frozen=True, slots=True)
class Told:
    """A dialogue with a secret in it."""

    turns: tuple[Turn, ...]

    secret: tuple[tuple[int, int], ...]
    """Which words are the number: turn, word; without those that were misheard."""

    innocent: tuple[tuple[int, int], ...]
    """Which words are outside: questions, announcements, what is said at the end."""


def styles(language: Language) -> tuple[Style, ...]:
    """Tell how digits are said in a language."""
    return tuple(style for style in Style if language != CHINESE or style not in {Style.PAIRS, Style.HUNDREDS})


def rendered(digits: str, language: Language, style: Style, random: Random) -> list[str]:
    """Say digits in groups, one string of words a group."""
    telling = TELLINGS[language]
    groups: list[str] = []
    place = 0
    while place < len(digits):
        way = random.choice([each for each in styles(language) if each is not Style.MIXED]) if style is Style.MIXED else style
        text, taken = _group(digits[place:], telling, way, random)
        groups.append(text)
        place += taken
    return groups


def _group(digits: str, telling: Telling, style: Style, random: Random) -> tuple[str, int]:
    """Say what can be said at once; give the words and how many digits they are."""
    match style:
        case Style.REPEATS:
            return _repeat(digits, telling, random) or (random.choice(telling.digits[int(digits[0])]), 1)
        case Style.PAIRS if len(digits) >= 2:
            return _pair(digits[:2], telling, random), 2
        case Style.HUNDREDS if len(digits) >= 3 and digits[0] != "0":
            return _hundred(digits[:3], telling, random), 3
        case Style.NUMERALS:
            taken = min(len(digits), random.choice([1, 2, 3, 4, 4, 4]))
            return digits[:taken], taken
    return random.choice(telling.digits[int(digits[0])]), 1


def _repeat(digits: str, telling: Telling, random: Random) -> tuple[str, int] | None:
    for times in (3, 2):
        if digits[:times] == digits[0] * times:
            return random.choice(telling.repeats[times]).format(telling.digits[int(digits[0])][0]), times
    return None


def _pair(pair: str, telling: Telling, random: Random) -> str:
    if pair[0] == "0":
        return " ".join(random.choice(telling.digits[int(digit)]) for digit in pair)
    if pair[0] == "1":
        return telling.teens[int(pair[1])]
    tens = telling.tens[int(pair[0]) - 2]
    return tens if pair[1] == "0" else f"{tens} {telling.digits[int(pair[1])][0]}"


def _hundred(three: str, telling: Telling, random: Random) -> str:
    head = telling.hundreds[int(three[0]) - 1]
    if three[1:] == "00":
        return head
    tail = telling.digits[int(three[2])][0] if three[1] == "0" else _pair(three[1:], telling, random)
    return f"{head} {tail}"


def dialogue(digits: str, kind: Kind, language: Language, style: Style, random: Random, manners: Manners = CLEAR) -> Told:
    """Let an agent ask and a caller tell the number."""
    script = _Script(language, random)
    telling = manners.tellings[language]
    script.say("agent", random.choice(telling.questions[kind]), innocent=True)
    script.say("caller", random.choice(telling.announcements[kind]), innocent=True)
    for group in rendered(digits, language, style, random):
        _tell(script, telling, group, manners, random)
    return script.told()


def _tell(script: _Script, telling: Telling, group: str, manners: Manners, random: Random) -> None:
    """Tell one group, and what follows it."""
    if random.random() < manners.correction:
        script.say("caller", random.choice(telling.digits[random.randrange(10)]), secret=True)
        script.say("caller", random.choice(telling.corrections))
    if random.random() < manners.error:
        script.say("caller", random.choice(telling.errors))
    else:
        script.say("caller", group, secret=True)
    if random.random() < manners.filler:
        script.say("caller", random.choice(telling.fillers))
    if random.random() < manners.other_turn:
        script.say("agent", random.choice(telling.encouragements))
    elif random.random() < manners.read_back:
        script.say("agent", group, secret=True)


class _Script:
    """Words as they are said, cut into turns where the speaker changes."""

    def __init__(self, language: Language, random: Random) -> None:
        self._language = language
        self._by_character = language == CHINESE and random.random() < 0.5
        self._turns: list[tuple[str, list[Word]]] = []
        self._secret: list[tuple[int, int]] = []
        self._innocent: list[tuple[int, int]] = []
        self._now = 0.0

    def say(self, speaker: str, text: str, *, secret: bool = False, innocent: bool = False) -> None:
        """Say some words."""
        if not self._turns or self._turns[-1][0] != speaker:
            self._turns.append((speaker, []))
            self._now += _PAUSE
        words = self._turns[-1][1]
        for word in self._words(text):
            place = (len(self._turns) - 1, len(words))
            self._secret.extend([place] * secret)
            self._innocent.extend([place] * innocent)
            words.append(Word(word, Seconds(self._now), Seconds(self._now + _WORD)))
            self._now += _WORD

    def told(self) -> Told:
        """Give what was said."""
        turns = tuple(Turn(speaker, Transcript(tuple(words), self._language)) for speaker, words in self._turns)
        return Told(turns, tuple(self._secret), tuple(self._innocent))

    def _words(self, text: str) -> Sequence[str]:
        return list(_characters(text)) if self._by_character else text.split()


def _characters(text: str) -> Iterator[str]:
    for word in text.split():
        yield from [word] if word.isascii() else word
