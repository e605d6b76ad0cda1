"""Since when to look for what was written, for who looks again and again and must miss nothing.

A look goes back a little further than the last, as the clocks of several machines differ; from time to time one goes back for
days, as what happened is written late where the database was away. That may be a hundred thousand rows, in a thread beside calls:
so a look reads only their ids, some at once, and whole rows only of what is new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

_FRESH: Final = timedelta(days=3)  # what is older is nobody's news any more, whenever this runs for the first time
_OVERLAP: Final = timedelta(minutes=2)
_WHOLE: Final = timedelta(minutes=10)
_AT_ONCE: Final = 200  # ids: few enough that no other thread waits for the interpreter


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


def ids_since(engine: Engine, since: datetime, at: InstrumentedAttribute[datetime | None], state: str) -> Iterator[Sequence[str]]:
    """The ids of a table's rows in this state, ``at`` or later, in that order, some at once; ``(state, at, id)`` is an index."""
    table: Any = at.class_
    rows = select(at, table.id).where(table.state == state).order_by(at, table.id).limit(_AT_ONCE)
    later: Any = at >= since
    while True:
        with Session(engine) as session:
            found = session.execute(rows.where(later)).all()
        if found:
            yield [it.id for it in found]
        if len(found) < _AT_ONCE:
            return
        later = tuple_(at, table.id) > tuple(found[-1])
