"""Which token sequences a :class:`~engine.asr.protocol.Grammar` allows; pure, for any model that writes with tokens.

A grammar is loose on purpose: it says which *words* an answer is made of, in any order, and leaves sense to the slot's parser
(``engine.nlu``). So it can't force a meaning, only keep the model's ear to the vocabulary of the question. Rules:

* words follow each other in any order, each spelled as the model spells it, small or capitalised;
* digits may be glued to what stands before them (``555``, ``1st``), and so may marks (``,`` ``.`` ``-`` ``/``);
* the text may end after any whole word or mark, and never before the first word;
* homophones that the model writes for a word of the grammar (``for``, ``to``, ``ate``) are words of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from engine.asr.protocol import Grammar

Spell: TypeAlias = Callable[[str], tuple[int, ...]]
"""A model's own spelling of a text that is preceded by a space."""

Place: TypeAlias = frozenset[int]
"""Where a text stands in the automaton: all the nodes it may have reached."""

DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGIT_WORDS: Mapping[str, int] = {
    **{name: value for value, name in enumerate(DIGIT_NAMES)},
    "oh": 0,
    "o": 0,
    "nought": 0,
    "naught": 0,
    "won": 1,
    "to": 2,
    "too": 2,
    "for": 4,
    "fore": 4,
    "ate": 8,
    "niner": 9,
}
REPEATS: Mapping[str, int] = {"double": 2, "triple": 3, "treble": 3}

_UNITS = "zero one two three four five six seven eight nine oh"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth thirtieth"
)
_MONTHS = "January February March April May June July August September October November December"
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
_YES = "yes yeah yep yup sure correct right okay ok absolutely definitely exactly certainly indeed affirmative uh-huh"
_NO = "no nope nah not never incorrect wrong negative"
_AROUND_YES_NO = "please thanks thank you that that's is it it's I do don't did didn't am want course of at all sir ma'am"
_AROUND_DATES = "the of on in and today tomorrow yesterday next last this week month year thousand hundred"
_AROUND_AMOUNTS = (
    "hundred thousand million and a half point dollars dollar cents cent euros euro pounds pound pence rubles roubles yuan only"
)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What an answer is made of."""

    words: str
    """With spaces between them; each may follow any other."""

    glued: str = ""
    """Letters that may follow anything, or a space."""

    endings: tuple[str, ...] = ()
    """Endings that may be glued to a digit: ``st``, ``th``."""

    marks: str = ",.-"
    """Signs that may follow a word."""

    before: str = ""
    """Signs that may stand before a word: ``$``."""


_DIGITS = "0123456789"
LEXICONS: Mapping[Grammar, Lexicon] = {
    Grammar.DIGITS: Lexicon(" ".join((*DIGIT_WORDS, *REPEATS)), glued=_DIGITS),
    Grammar.YES_NO: Lexicon(f"{_YES} {_NO} {_AROUND_YES_NO}", marks=",.!"),
    Grammar.DATE: Lexicon(
        f"{_UNITS} {_TEENS} {_TENS} {_ORDINALS} {_MONTHS} {_WEEKDAYS} {_AROUND_DATES}",
        glued=_DIGITS,
        endings=("st", "nd", "rd", "th"),
        marks=",.-/",
    ),
    Grammar.AMOUNT: Lexicon(f"{_UNITS} {_TEENS} {_TENS} {_AROUND_AMOUNTS}", glued=_DIGITS, before="$€£"),
}


_ROOT = 0  # a new word may begin
_AFTER = 1  # a whole word was said: a mark, a glued letter or the end may follow
_MARKED = 2  # a mark was said: a glued letter or the end may follow


class TokenAutomaton:
    """The token sequences of one grammar, as a non-deterministic automaton over the model's own spelling of each word."""

    start: Place = frozenset({_ROOT})

    def __init__(self, lexicon: Lexicon, spell: Spell, end: int) -> None:
        self._arrows: list[dict[int, set[int]]] = [{}, {end: set()}, {end: set()}]
        words = lexicon.words.split()
        for word in sorted({*words, *map(_capitalised, words), *lexicon.glued}):
            self._add(_ROOT, spell(word), {_ROOT, _AFTER})
        for sign in lexicon.before:
            self._add(_ROOT, spell(sign), {_MARKED})
        for node in (_AFTER, _MARKED):
            for glued in (*lexicon.glued, *lexicon.endings):
                self._add(node, _without_space(spell, glued), {_ROOT, _AFTER})
        for mark in lexicon.marks:
            self._add(_AFTER, _without_space(spell, mark), {_ROOT, _MARKED})

    def allowed(self, place: Place) -> frozenset[int]:
        """The tokens that may come next."""
        return frozenset(token for node in place for token in self._arrows[node])

    def step(self, place: Place, token: int) -> Place:
        """Where ``token`` leads; empty after the end, and for a token that is not allowed."""
        return frozenset(target for node in place for target in self._arrows[node].get(token, ()))

    def accepts(self, tokens: Sequence[int]) -> bool:
        """Whether ``tokens`` are a whole text of the grammar, its end mark not counted in."""
        place = self.start
        for token in tokens:
            place = self.step(place, token)
        return bool(place & {_AFTER, _MARKED})

    def _add(self, node: int, tokens: Sequence[int], leads_to: set[int]) -> None:
        for token in tokens[:-1]:
            node = self._inner(node, token)
        self._arrows[node].setdefault(tokens[-1], set()).update(leads_to)

    def _inner(self, node: int, token: int) -> int:
        """The node inside a word that ``token`` leads to; made when it is new."""
        targets = self._arrows[node].setdefault(token, set())
        for target in targets:
            if target > _MARKED:
                return target
        self._arrows.append({})
        targets.add(len(self._arrows) - 1)
        return len(self._arrows) - 1


def automaton(grammar: Grammar, spell: Spell, end: int) -> TokenAutomaton:
    """The automaton of ``grammar`` for a model that spells with ``spell`` and ends its texts with the token ``end``.

    Raises:
        KeyError: the grammar is :attr:`Grammar.FREE`, which allows everything.
    """
    return TokenAutomaton(LEXICONS[grammar], spell, end)


def _capitalised(word: str) -> str:
    return word[:1].upper() + word[1:]


def _without_space(spell: Spell, text: str) -> tuple[int, ...]:
    """The spelling of ``text`` inside a word: that of ``0text`` without that of ``0``."""
    before = spell("0")
    return spell("0" + text)[len(before) :]
