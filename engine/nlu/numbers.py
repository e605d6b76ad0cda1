"""Numbers in running speech: their values, their digits, and where they stand.

Two readings of the same words: :func:`numbers` takes "twelve hundred and fifty" for one quantity, :func:`digit_runs`
takes "four one double seven" for the digits 4177, which is how cards, codes and phones are read out. Privacy masking
uses the latter: a run holds every digit-like word that stands beside another, numerals and words mixed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from engine.core.speech import CHINESE
from engine.core.units import Language
from engine.nlu import chinese_numbers
from engine.nlu.number_words import NO_WORDS, NUMBER_WORDS, NumberWords
from engine.nlu.wording import Token, tokens

_NUMERAL = re.compile(r"\d+(?:[.,]\d+)*")
_GROUP = re.compile(r"\d{3}")
_UNBOUNDED = 10**15
_LONGEST = 24  # words of one spoken number


@dataclass(frozen=True, slots=True)
class Number:
    """One quantity."""

    value: Decimal

    start: int
    """Where it begins in the text, in characters."""

    end: int


@dataclass(frozen=True, slots=True)
class DigitRun:
    """Digits that were read out one after the other, in any grouping."""

    digits: str
    """``0`` to ``9``."""

    start: int
    """Where it begins in the text, in characters."""

    end: int


def numbers(text: str, language: Language) -> tuple[Number, ...]:
    """Find every quantity, in order: words, numerals, and numerals in groups ("1 250", "1,250.50")."""
    words = NUMBER_WORDS.get(language, NO_WORDS)
    return tuple(_read(tokens(text), words, language))


def digit_runs(text: str, language: Language) -> tuple[DigitRun, ...]:
    """Find every stretch of digits, in order; "twenty one thirty four" is 2134, "double seven" 77."""
    words = NUMBER_WORDS.get(language, NO_WORDS)
    return tuple(_join(text, _digit_groups(tokens(text), words, language), words))


def _read(spoken: Sequence[Token], words: NumberWords, language: Language) -> Iterator[Number]:
    place = 0
    while place < len(spoken):
        found = _numeral(spoken, place) or _worded(spoken, place, words, language)
        if found is None:
            place += 1
            continue
        number, place = found
        yield number


def _worded(spoken: Sequence[Token], place: int, words: NumberWords, language: Language) -> tuple[Number, int] | None:
    read = chinese_numbers.read if language == CHINESE else _cardinal
    found = read(spoken[place : place + _LONGEST], words)
    if found is None:
        return None
    value, length = found
    return Number(Decimal(value), spoken[place].start, spoken[place + length - 1].end), place + length


def _numeral(spoken: Sequence[Token], place: int) -> tuple[Number, int] | None:
    """A numeral and the groups of three that follow it ("1 250 000"), but not two card groups ("4111 1111")."""
    first = spoken[place]
    if not _NUMERAL.fullmatch(first.text):
        return None
    after = place + 1
    if len(first.text) <= 3 and first.text.isdigit() and not first.text.startswith("0"):
        while after < len(spoken) and _continues(spoken[after - 1], spoken[after]):
            after += 1
    try:
        value = Decimal(_decimal_point("".join(token.text for token in spoken[place:after])))
    except InvalidOperation:
        return None
    return Number(value, first.start, spoken[after - 1].end), after


def _continues(before: Token, token: Token) -> bool:
    head = re.split(r"[.,]", token.text)[0]
    return token.start == before.end + 1 and bool(_GROUP.fullmatch(head)) and before.text.isdigit()


def _decimal_point(numeral: str) -> str:
    """``1,250.50``, ``1.250,50`` and ``1250,50`` as Python writes them; a lone group of three after a mark is thousands."""
    marks = [character for character in numeral if character in ".,"]
    if not marks:
        return numeral
    head, _, tail = numeral.rpartition(marks[-1])
    whole = re.sub(r"[.,]", "", head)
    thousands = len(tail) == 3 and len(set(marks)) == 1 and head != "0"
    return whole + tail if thousands else f"{whole}.{tail}"


def _cardinal(spoken: Sequence[Token], words: NumberWords) -> tuple[int, int] | None:
    """Read the longest number that the words begin with; its value and how many words it takes."""
    total, group, room, length = 0, 0, _UNBOUNDED, 0
    scale_room = _UNBOUNDED
    for place, word in enumerate(token.text for token in spoken):
        value = words.small.get(word)
        if value is not None and value < room and (value or not place):
            group, room = group + value, _room_after(value)
        elif word in words.hundred and (0 < group < 100 or not place):
            group, room = max(group, 1) * 100, 100
        elif word in words.scales and words.scales[word] < scale_room and (group or not total):
            scale_room = words.scales[word]
            total, group, room = total + max(group, 1) * scale_room, 0, scale_room
        elif word in words.joiners and length == place > 0 and room >= 100 and words.small.get(_at(spoken, place + 1)):
            continue
        else:
            break
        length = place + 1
    return (total + group, length) if length else None


def _room_after(value: int) -> int:
    """What may still be added after a word of this value: a unit after tens, anything below 100 after a hundred."""
    if value >= 100:
        return 100
    return 10 if value >= 20 else 0


def _at(spoken: Sequence[Token], place: int) -> str:
    return spoken[place].text if place < len(spoken) else ""


def _digit_groups(spoken: Sequence[Token], words: NumberWords, language: Language) -> Iterator[DigitRun]:
    place = 0
    while place < len(spoken):
        found = _repeated(spoken, place, words) or _single(spoken, place, words, language)
        if found is None:
            place += 1
            continue
        group, place = found
        yield group


def _single(spoken: Sequence[Token], place: int, words: NumberWords, language: Language) -> tuple[DigitRun, int] | None:
    token = spoken[place]
    if _NUMERAL.fullmatch(token.text):
        return DigitRun(re.sub(r"\D", "", token.text), token.start, token.end), place + 1
    if token.text in words.spoken_digits:
        return DigitRun(str(words.spoken_digits[token.text]), token.start, token.end), place + 1
    found = _worded(spoken, place, words, language)
    if found is None:
        return None
    number, after = found
    return DigitRun(_digits(number, spoken[place:after], words), number.start, number.end), after


def _digits(number: Number, spoken: Sequence[Token], words: NumberWords) -> str:
    """Chinese digits read one by one keep their zeros; a quantity is written out."""
    one_by_one = all(token.text in words.small and words.small[token.text] < 10 for token in spoken)
    return "".join(str(words.small[token.text]) for token in spoken) if one_by_one else str(number.value)


def _repeated(spoken: Sequence[Token], place: int, words: NumberWords) -> tuple[DigitRun, int] | None:
    """Read "double seven", "three sevens", "два нуля" and "三个零"."""
    count, *rest = [token.text for token in spoken[place : place + 3]]
    if rest[:1] == ["个"]:
        times, digit, taken = words.small.get(count, 0), words.small.get("".join(rest[1:])), 3
    elif rest and count in words.times:
        times, digit, taken = words.times[count], _one_digit(rest[0], words), 2
    else:
        times, digit, taken = words.small.get(count, 0), words.counted_digits.get("".join(rest[:1])), 2
    if digit is None or digit > 9 or not 2 <= times <= 9:
        return None
    return DigitRun(str(digit) * times, spoken[place].start, spoken[place + taken - 1].end), place + taken


def _one_digit(word: str, words: NumberWords) -> int | None:
    known = {**words.small, **words.spoken_digits}
    return int(word) if word.isdecimal() and len(word) == 1 else known.get(word)


def _join(text: str, groups: Iterator[DigitRun], words: NumberWords) -> Iterator[DigitRun]:
    """Put groups together that nothing but spaces, marks and fillers part."""
    run: DigitRun | None = None
    for group in groups:
        between = {token.text for token in tokens(text[run.end : group.start])} if run else set()
        if run and between <= words.fillers:
            run = DigitRun(run.digits + group.digits, run.start, group.end)
            continue
        if run:
            yield run
        run = group
    if run:
        yield run
