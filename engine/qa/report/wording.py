"""What the page says in each language (``texts.yaml``), and how numbers and times are written there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Final

import yaml

from engine.core.units import Language

LANGUAGES: Final = (Language("en"), Language("ru"), Language("zh"))

_GAP = "\N{NARROW NO-BREAK SPACE}"
_MARKS: Mapping[str, tuple[str, str]] = {"en": (",", "."), "ru": (_GAP, ","), "zh": (",", ".")}  # of thousands, of decimals


@dataclass(frozen=True, slots=True)
class Wording:
    """One language."""

    language: Language

    def __call__(self, name: str, /, **values: str) -> str:
        """The text of that name with its places filled."""
        return texts()[name][self.language].format(**values)

    def number(self, value: float, decimals: int = 0) -> str:
        """As it is written there: 12,345.6 or 12 345,6."""
        thousands, point = _MARKS[self.language]
        return f"{value:,.{decimals}f}".translate({ord(","): thousands, ord("."): point})

    def percent(self, share: float | None) -> str:
        """A share of 1; unknown is a dash."""
        if share is None:
            return "–"
        shown = self.number(100 * share, 1)
        return f"{shown}{_GAP}%" if self.language == "ru" else f"{shown}%"

    def day(self, day: date) -> str:
        """2026-09-30, the same everywhere; it sorts and is not mistaken."""
        return day.isoformat()

    def minute(self, moment: datetime) -> str:
        """A moment in its own zone."""
        return moment.strftime("%Y-%m-%d %H:%M")


def clock(seconds: float) -> str:
    """A place in a call: 1:05, or 1:02:03."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Every text by its name and language."""
    found: Mapping[str, Mapping[str, str]] = yaml.safe_load((files("engine.qa.report") / "texts.yaml").read_text("utf-8"))
    return found
