"""Since when to look for what was written, for who looks again and again and must miss nothing.

A look goes back a little further than the last, as the clocks of several machines differ; from time to time one goes back for
days, as what happened is written late where the database was away.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

_FRESH: Final = timedelta(days=3)  # what is older is nobody's news any more, whenever this runs for the first time
_OVERLAP: Final = timedelta(minutes=2)
_WHOLE: Final = timedelta(minutes=10)


class Looks:
    """One looker's."""

    def __init__(self) -> None:
        self._last: datetime | None = None
        self._whole: datetime | None = None

    def since(self, now: datetime) -> datetime:
        """How far to go back."""
        return now - _FRESH if self._last is None or self._far(now) else self._last - _OVERLAP

    def looked(self, now: datetime) -> None:
        """All of it was seen and dealt with."""
        self._last, self._whole = now, now if self._far(now) else self._whole

    def _far(self, now: datetime) -> bool:
        return self._whole is None or now - self._whole >= _WHOLE
