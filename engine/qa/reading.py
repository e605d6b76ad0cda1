"""Reading a scorecard: as every file that people write, and gaps besides."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.qa.expressions import Amount, Unit
from engine.written.reading import DURATION, shown
from engine.written.reading import Reading as WrittenReading
from engine.written.yaml_tree import Path, Value

__all__ = ["Reading", "shown"]

_COUNTED = re.compile(r"([1-9]\d{0,3}) (turn|word)s?")


@dataclass(frozen=True)
class Reading(WrittenReading):
    """A card being read."""

    def gap(self, value: Value, path: Path) -> Amount:
        """Seconds, turns or words."""
        counted = _COUNTED.fullmatch(value) if isinstance(value, str) else None
        if counted:
            return Amount(int(counted[1]), Unit(f"{counted[2]}s"))
        if not isinstance(value, str) or not DURATION.fullmatch(value):
            self.wrong(path, "a gap such as 10s, 3 turns or 5 words", shown(value))
            return Amount(1.0)
        return Amount(self.duration(value, path))
