r"""Regular expressions as a card writes them, read into a tree.

What Python's ``re`` has and an automaton can do in linear time: characters, ``.``, classes (``[a-z]``, ``\d \w \s`` and their
opposites), groups, ``|``, ``* + ? {2} {2,} {2,5}``, ``^``, ``$``, ``\b``, ``\B``. No backreferences, and nothing looks around:
those are what makes one take for ever. There is no greed either: a match is the longest from where it begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from engine.nlu.wording import folded

Test: TypeAlias = Callable[[str], bool]
"""Whether a character fits."""

_MOST_TIMES = 100
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789абвгдежзийклмнопрстуфхцчшщъыьэюя'é一"  # a few of each kind
_TIMES = re.compile(r"\{(\d{1,4})(?:(,)(\d{1,4})?)?\}")
_CLASSES = {"d": r"\d", "D": r"\D", "w": r"\w", "W": r"\W", "s": r"\s", "S": r"\S"}


class Anchor(StrEnum):
    """What is asked of a place between two characters."""

    START = "^"
    END = "$"
    BOUNDARY = r"\b"
    NO_BOUNDARY = r"\B"


@dataclass(frozen=True, slots=True, eq=False)
class One:
    """Any one character that fits."""

    fits: Test

    in_words: bool
    """Whether some character fits of which words are made."""


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """One after the other."""

    parts: Sequence[Node]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Any of them."""

    parts: Sequence[Node]


@dataclass(frozen=True, slots=True, eq=False)
class Repeat:
    """So many times."""

    part: Node

    least: int

    most: int | None
    """``None``: no limit."""


Node: TypeAlias = One | Chain | Choice | Repeat | Anchor


class NotRegular(ValueError):
    """It is no such expression; the message says what was expected and what was found."""


def parse_regex(text: str) -> Node:
    """Read an expression; letters in any case, since speech has none.

    Raises:
        NotRegular: it can't be read, or asks for more than an automaton can do.
    """
    parser = _Parser(folded(text) if "\\" not in text else _fold_around_escapes(text))
    node = parser.choice()
    if parser.at < len(parser.text):
        raise NotRegular(f"an opening ( before the ) at character {parser.at + 1}")
    return node


def _fold_around_escapes(text: str) -> str:
    """Lower case, but for what stands behind a backslash, which may be a capital for a reason."""
    return re.sub(r"(\\.)|([^\\]+)", lambda it: it.group(1) or folded(it.group(2)), text, flags=re.DOTALL)


@dataclass(slots=True)
class _Parser:
    text: str

    at: int = 0

    def choice(self) -> Node:
        parts = [self.chain()]
        while self._take("|"):
            parts.append(self.chain())
        return parts[0] if len(parts) == 1 else Choice(parts)

    def chain(self) -> Node:
        parts = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            parts.append(self._repeated(self._one()))
        return Chain(parts)

    def _repeated(self, part: Node) -> Node:
        while self.at < len(self.text) and (times := self._times()):
            if isinstance(part, Anchor):
                raise NotRegular(f"something to repeat before character {self.at}")
            part = Repeat(part, *times)
            if self._take("?") or self._take("+"):
                raise NotRegular(
                    f"a plain *, +, ? or {{}} at character {self.at}: there is no greed here, a match is the longest"
                )
        return part

    def _times(self) -> tuple[int, int | None] | None:
        for sign, times in {"*": (0, None), "+": (1, None), "?": (0, 1)}.items():
            if self._take(sign):
                return times
        found = _TIMES.match(self.text, self.at)
        if not found:
            return None
        self.at = found.end()
        least = int(found[1])
        most = least if not found[2] else int(found[3]) if found[3] else None
        if max(least, most or 0) > _MOST_TIMES or (most is not None and most < least):
            raise NotRegular(f"{{least,most}} in order and at most {_MOST_TIMES}, instead of {found.group()}")
        return least, most

    def _one(self) -> Node:
        sign = self._next()
        match sign:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case ".":
                return One(lambda _: True, in_words=True)
            case "^" | "$":
                return Anchor(sign)
            case "\\":
                return self._escaped()
            case "*" | "+" | "?":
                raise NotRegular(f"something to repeat before the {sign} at character {self.at}")
        return _literal(sign)

    def _group(self) -> Node:
        opened = self.at
        if self._take("?") and not self._take(":"):
            raise NotRegular(f"( or (?: at character {opened}: nothing here looks around, has a name or a flag")
        inside = self.choice()
        if not self._take(")"):
            raise NotRegular(f"a closing ) for the ( at character {opened}")
        return inside

    def _escaped(self) -> Node:
        sign = self._next()
        if sign in _CLASSES:
            return _class(_CLASSES[sign])
        if sign in "bB":
            return Anchor(f"\\{sign}")
        if sign.isalnum():
            raise NotRegular(rf"\d \w \s \b, their opposites or an escaped sign, instead of \{sign}")
        return _literal(sign)

    def _class(self) -> One:
        """Everything up to the closing bracket; Python's own class, once it is known to be nothing more."""
        opened = self.at
        self._take("^")
        self._take("]")
        while not self._take("]"):
            if self._next() == "\\" and self._next() not in "dDwWsS-]^\\[.":
                raise NotRegular(rf"\d \w \s or an escaped sign inside [], at character {self.at}")
        try:
            return _class(self.text[opened - 1 : self.at])
        except re.error as error:
            raise NotRegular(f"a class such as [a-z0-9] at character {opened}") from error

    def _take(self, sign: str) -> bool:
        if self.text.startswith(sign, self.at):
            self.at += 1
            return True
        return False

    def _next(self) -> str:
        if self.at >= len(self.text):
            raise NotRegular("more at the end: a \\, [ or ( is left open")
        self.at += 1
        return self.text[self.at - 1]


def _literal(sign: str) -> One:
    return One(sign.__eq__, in_words=sign.isalnum() or sign == "'")


def _class(text: str) -> One:
    one = re.compile(text)
    return One(lambda character: one.fullmatch(character) is not None, in_words=any(map(one.fullmatch, _LETTERS + text)))
