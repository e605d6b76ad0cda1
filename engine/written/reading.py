"""Reading a file value by value: what is wrong is noted with its place, and reading goes on, so that all is told at once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from engine.core.units import Seconds
from engine.written.problems import Problem, did_you_mean, listed
from engine.written.yaml_tree import Path, Tree, Value, dotted

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min)")
_SECONDS_A_UNIT = {"ms": 0.001, "s": 1.0, "min": 60.0}

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True)
class Reading:
    """A file being read."""

    tree: Tree

    file: str

    problems: list[Problem] = field(default_factory=list)

    def wrong(self, path: Path, expected: str, found: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(*self.tree.place(path), dotted(path), expected, found, hint, self.file))

    def mapping(self, value: Value, path: Path, known: Iterable[str], needed: Iterable[str] = ()) -> Mapping[str, Value]:
        """A mapping whose keys are known; an empty one where it is none."""
        keys = tuple(known)
        if not isinstance(value, dict):
            self.wrong(path, f"a mapping with the keys {listed(keys)}", shown(value))
            return {}
        for key in value:
            if key not in keys:
                self.wrong((*path, key), f"one of the keys {listed(keys)}", repr(key), did_you_mean(key, keys))
        for key in needed:
            if key not in value:
                self.wrong(path, f"the key {key!r}", "none")
        return value

    def items(self, value: Value, path: Path, of_what: str) -> Sequence[Value]:
        """A list with something in it."""
        if not isinstance(value, list) or not value:
            self.wrong(path, f"a list of {of_what}", "an empty one" if value == [] else shown(value))
            return ()
        return value

    def text(self, value: Value, path: Path) -> str:
        if not isinstance(value, str) or not value.strip():
            self.wrong(path, "a text", shown(value))
            return ""
        return value

    def name(self, value: Value, path: Path) -> str:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            self.wrong(path, "a name of small letters, digits and _, beginning with a letter", shown(value))
            return ""
        return value

    def number(self, value: Value, path: Path, most: float = math.inf) -> float:
        """A number from 0 to ``most``."""
        wanted = "a number of at least 0" if math.isinf(most) else f"a number from 0 to {most:g}"
        if not isinstance(value, str) or not _NUMBER.fullmatch(value) or float(value) > most:
            self.wrong(path, wanted, shown(value))
            return 0.0
        return float(value)

    def count(self, value: Value, path: Path, least: int = 1) -> int:
        """A whole number."""
        if not isinstance(value, str) or not re.fullmatch(r"\d{1,6}", value) or int(value) < least:
            self.wrong(path, f"a whole number of at least {least}", shown(value))
            return least
        return int(value)

    def duration(self, value: Value, path: Path) -> Seconds:
        found = DURATION.fullmatch(value) if isinstance(value, str) else None
        if found is None or not float(found[1]):
            self.wrong(path, "a length of time above 0 such as 10s, 500ms or 2min", shown(value))
            return Seconds(1.0)
        return Seconds(float(found[1]) * _SECONDS_A_UNIT[found[2]])

    def choice(self, value: Value, path: Path, kind: type[Choice]) -> Choice:
        """One of an enumeration's words."""
        words = [it.value for it in kind]
        if value not in words:
            self.wrong(
                path, f"one of {listed(words)}", shown(value), did_you_mean(value, words) if isinstance(value, str) else ""
            )
            return next(iter(kind))
        return kind(value)


def shown(value: Value) -> str:
    """A value as a message quotes it."""
    match value:
        case None:
            return "nothing"
        case str():
            return repr(value) if len(value) <= 60 else repr(value[:57] + "...")
        case list():
            return f"a list of {len(value)}"
    return f"a mapping of {', '.join(value) or 'nothing'}"
