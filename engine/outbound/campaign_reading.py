"""Reading a campaign file: as every file that people write, and lengths of time up to days, yes and no, dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from engine.written.reading import Reading, shown
from engine.written.yaml_tree import Path, Value

_SPAN = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)\s*(s|min|h|d)")
_UNITS = {"s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_YES_OR_NO = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True)
class CampaignReading(Reading):
    """A campaign file being read."""

    def part(self, keys: Mapping[str, Value], key: str, known: Iterable[str], needed: Iterable[str] = ()) -> Mapping[str, Value]:
        """The mapping under one of the file's keys; empty where it is not there."""
        return self.mapping(keys[key], (key,), known, needed) if key in keys else {}

    def span(self, value: Value, path: Path) -> timedelta:
        """A length of time above 0."""
        found = _SPAN.fullmatch(value) if isinstance(value, str) else None
        if found is None or not float(found[1]):
            self.wrong(path, "a length of time above 0 such as 30s, 15min, 2h or 7d", shown(value))
            return timedelta(days=1)
        return float(found[1]) * _UNITS[found[2]]

    def yes(self, value: Value, path: Path) -> bool:
        if not isinstance(value, str) or value.lower() not in _YES_OR_NO:
            self.wrong(path, "yes or no", shown(value))
            return False
        return _YES_OR_NO[value.lower()]

    def day(self, value: Value, path: Path) -> date | None:
        if isinstance(value, str) and len(value) == len("2026-12-31"):
            with suppress(ValueError):
                return date.fromisoformat(value)
        self.wrong(path, "a day such as 2026-12-31", shown(value))
        return None
