"""Sums of money, dates and numbers in English, Russian and Chinese, read as :mod:`engine.nlu.slots` reads them.

A sum of money has its currency. A word that may have been any may have been a number or a date; whether it may have been money,
its neighbours tell. What is wanted may be the value that somebody else said, or one that is known of the call.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache

from engine.core.call import Speaker
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.nlu.number_words import NO_WORDS, NUMBER_WORDS
from engine.nlu.numbers import numbers
from engine.nlu.slots import Found, find_amount, find_date
from engine.nlu.slots.amount import names_currency
from engine.nlu.slots.date_words import DATE_WORDS
from engine.qa.bounds import Bounds
from engine.qa.passages import Text, span_of
from engine.qa.spans import Span, Spans, spans
from engine.qa.terms import Listener, Term, between
from engine.qa.timeline import HeardWord

VERSION = 1
"""Raise it when the same words give other entities: it is part of the revision of every card that asks for some."""

_CURRENCY: Mapping[Language, str] = {ENGLISH: "dollars", RUSSIAN: "рублей", CHINESE: "元"}
_SOME_DAY = date(2001, 1, 1)  # a Monday; where nobody says when the call was, only what is said alike is known to be the same
_BESIDE = 3  # words on each side that tell whether a doubtful one may have been part of a sum
_FACT_DATE = "date"
_HALF_THOUSANDS = "полтор"
_HAN_DATES = "年月号日天周期拜"


class Kind(StrEnum):
    """What kind of value."""

    MONEY = "money"
    DATE = "date"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Value:
    """One that was said."""

    span: Span

    text: str
    """``1250.00 RUB``, ``2026-11-22`` or ``7``."""

    sure: bool


@dataclass(frozen=True, slots=True, eq=False)
class Entity(Term):
    """Values of a kind."""

    kind: Kind

    above: float = -math.inf

    below: float = math.inf

    same_as: Entity | None = None
    """Only a value that this one finds, too."""

    fact: str | None = None
    """Only the value that is known of the call under this name."""

    @property
    def what(self) -> Sequence[str]:
        limits = [f"above {self.above:g}"] * (self.above > -math.inf) + [f"below {self.below:g}"] * (self.below < math.inf)
        known = [f"as {self.fact}"] * (self.fact is not None) + ["as said elsewhere"] * (self.same_as is not None)
        return [" ".join([self.kind.value, *limits, *known])]

    def find(self, listener: Listener) -> Bounds:
        found = [*self.values(listener)]
        sure = [it.span for it in found if it.sure and self._holds(it, listener, surely=True)]
        maybe = [it.span for it in found if self._holds(it, listener, surely=False)]
        return between(sure, [*maybe, *self._perhaps(listener)])

    def nearest(self, listener: Listener, ground: Spans) -> Span | None:
        """One of the kind with another value; else, for a sum or a date, a number."""
        for kind in (self.kind, Kind.NUMBER):
            found = spans(it.span for it in Entity(self.by, kind).values(listener)).within(ground)
            if found:
                return found.items[-1]
        return None

    def deaf(self, listener: Listener) -> bool:
        unread = listener.call.language not in _CURRENCY
        unknown = self.fact is not None and self.fact not in listener.call.facts
        return unread or unknown or Term.deaf(self, listener) or (self.same_as is not None and self.same_as.deaf(listener))

    def values(self, listener: Listener) -> Sequence[Value]:
        """All of the kind by those it is wanted of; where a value is asked for, a sum may do without its currency."""
        bare = self.kind is Kind.MONEY and (self.same_as is not None or self.fact is not None)
        return [*_said(self.kind, self.by, listener), *(_said(Kind.NUMBER, self.by, listener) if bare else ())]

    def _holds(self, value: Value, listener: Listener, *, surely: bool) -> bool:
        """Whether the value is one that is wanted."""
        if self.kind is not Kind.DATE and not self.above < _number(value.text) < self.below:
            return False
        if self.fact is not None and not _same(value.text, listener.call.facts.get(self.fact, "")):
            return not surely and self._undated(listener)
        if self.same_as is None:
            return True
        others = [it for it in self.same_as.values(listener) if it.span != value.span and (it.sure or not surely)]
        return any(_same(value.text, it.text) for it in others) or (not surely and bool(others) and self._undated(listener))

    def _undated(self, listener: Listener) -> bool:
        """Whether two dates may be the same day though they are not said alike."""
        return self.kind is Kind.DATE and _FACT_DATE not in listener.call.facts

    def _perhaps(self, listener: Listener) -> Iterator[Span]:
        for passage, _ in listener.of(self.by):
            for at, word in enumerate(passage.words):
                if listener.doubt.joker(word):
                    yield from _hidden_sum(passage.words, at, listener) if self.kind is Kind.MONEY else [span_of([word])]


def _said(kind: Kind, by: Speaker | None, listener: Listener) -> Sequence[Value]:
    """All of a kind; several questions ask for the same."""
    kept = listener.kept.get((kind, by))
    if not isinstance(kept, tuple):
        kept = listener.kept[kind, by] = tuple(_found(kind, by, listener))
    return kept


def _found(kind: Kind, by: Speaker | None, listener: Listener) -> Iterator[Value]:
    today, language = _today(listener), listener.call.language
    for passage, theirs in listener.of(by):
        if not any(_tells(word.text, kind, language) for word in passage.words):
            continue
        for found in _FIND[kind](passage.written.text, language, today):
            words = passage.written.covered(found.start, found.end)
            if words:
                yield Value(span_of(words), found.value, theirs and listener.certain(words))


@lru_cache(maxsize=50_000)
def _tells(word: str, kind: Kind, language: Language) -> bool:
    """Whether a word can be part of such a value at all: most turns have none, and are not read."""
    if any(map(str.isdecimal, word)):
        return True
    return word in _telling(kind, language) or word.startswith(_HALF_THOUSANDS)


@cache
def _telling(kind: Kind, language: Language) -> frozenset[str]:
    """Words of which every value holds one."""
    numbers_of = NUMBER_WORDS.get(language, NO_WORDS)
    worth = {*numbers_of.small, *numbers_of.scales, *numbers_of.hundred}
    if kind is Kind.DATE:
        worth |= set(_HAN_DATES)
        dates = DATE_WORDS.get(language)
        for words in (dates.relative, dates.weekdays, dates.months, dates.ordinals, dates.lengths) if dates else ():
            worth.update(word for phrase in words for word in phrase.split())
    return frozenset(worth)


def _today(listener: Listener) -> date:
    try:
        return date.fromisoformat(listener.call.facts.get(_FACT_DATE, "")[:10])
    except ValueError:
        return _SOME_DAY


def _money(text: str, language: Language, _: date) -> Iterator[Found]:
    if not names_currency(text):
        return iter(())
    return (it for it in _one_by_one(text, lambda rest: find_amount(rest, language)) if " " in it.value)


def _dates(text: str, language: Language, today: date) -> Iterator[Found]:
    return _one_by_one(text, lambda rest: find_date(rest, language, today))


def _numbers(text: str, language: Language, _: date) -> Iterator[Found]:
    return (Found(str(it.value), it.start, it.end) for it in numbers(text, language))


_FIND: Mapping[Kind, Callable[[str, Language, date], Iterator[Found]]] = {
    Kind.MONEY: _money,
    Kind.DATE: _dates,
    Kind.NUMBER: _numbers,
}


def _one_by_one(text: str, find: Callable[[str], Found | None]) -> Iterator[Found]:
    """All that a finder of one can find; what was found is overwritten with as many letters, so that places stay true."""
    while found := find(text):
        yield found
        text = text[: found.start] + ("x " * len(text))[: found.end - found.start] + text[found.end :]


def _hidden_sum(words: Sequence[HeardWord], at: int, listener: Listener) -> Iterator[Span]:
    """Whether a doubtful word makes a sum of money with its neighbours, were it a number, or the name of a currency."""
    first = max(0, at - _BESIDE)
    window = words[first : at + _BESIDE + 1]
    language = listener.call.language
    currency = _CURRENCY.get(language, "")
    tries = [{at: "5"}, {at: currency}]
    if at + 1 < len(words) and listener.doubt.joker(words[at + 1]):
        tries.append({at: "5", at + 1: currency})
    for put in tries:
        text = _text([put.get(first + place, word.text) for place, word in enumerate(window)], window)
        for found in _money(text.text, language, _SOME_DAY):
            covered = text.covered(found.start, found.end)
            if words[at] in covered:
                yield span_of(covered)


def _text(texts: Sequence[str], words: Sequence[HeardWord]) -> Text:
    starts, at = [], 0
    for it in texts:
        starts.append(at)
        at += len(it) + 1
    return Text(" ".join(texts), words, starts, [start + len(it) for start, it in zip(starts, texts, strict=True)])


def _number(text: str) -> float:
    return float(Decimal(text.split(maxsplit=1)[0]))


def _same(one: str, other: str) -> bool:
    """Whether two values are the same; a sum without a currency is the same as one in any."""
    (first, *currency), (second, *other_currency) = one.split() or [""], other.split() or [""]
    if currency and other_currency and currency != other_currency:
        return False
    return first == second or (_is_number(first) and _is_number(second) and Decimal(first) == Decimal(second))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(?:\.\d+)?", text) is not None
