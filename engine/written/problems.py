"""What is wrong with a file somebody wrote, and where: all of it at once, each with what was expected and what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rapidfuzz import fuzz, process

from engine.core.errors import ConfigError

_NEAR = 70  # per cent of likeness (rapidfuzz's ratio) from which one name may be a slip of the pen for another


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend."""

    line: int
    """1 is the first line."""

    column: int
    """1 is the first character."""

    path: str
    """Where it lies in the file's own terms: ``nodes.main.choices.1``; empty for the file as a whole."""

    expected: str

    found: str

    hint: str = ""
    """How to mend it, where that can be guessed."""

    file: str = ""
    """The file as the reader was told to call it."""

    def __str__(self) -> str:
        place = ":".join(filter(None, (self.file, str(self.line), str(self.column))))
        subject = f"{self.path}: " if self.path else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{place}: {subject}expected {self.expected}, found {self.found}{hint}"


class WrittenErrors(ConfigError):
    """A file that can't be used; ``problems`` holds all that was found, in the file's order. Each kind of file has its own."""

    subject: ClassVar[str]
    """What such a file should hold: ``a flow``."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = tuple(sorted(problems, key=lambda it: (it.file, it.line, it.column, it.path)))
        super().__init__("\n".join(map(str, self.problems)))


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """A hint that names the known word nearest to ``found``, or nothing when none is near."""
    nearest = process.extractOne(found, sorted(known), scorer=fuzz.ratio, score_cutoff=_NEAR)
    return f"did you mean {nearest[0]!r}?" if nearest else ""


def listed(words: Iterable[str]) -> str:
    """``a, b or c``"""
    *head, last = words
    return f"{', '.join(head)} or {last}" if head else last
