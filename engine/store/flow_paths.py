"""Where callers went in a flow: the nodes of its last calls, read from the journal once for each call.

A call that has ended changes no more, so what was read of it is kept in memory; a look at the page reads only what is new.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

from sqlalchemy import Engine, select

from engine.store.models import CallRow, StepRow
from engine.store.samples import utc

LOOKED_AT: Final = 500  # the last calls of a flow; reading as many anew takes a part of a second
_KEPT: Final = 4 * LOOKED_AT  # calls whose paths are remembered
_AT_ONCE: Final = 250  # calls asked for in one query
_LEFT: Final = frozenset({"caller_hung_up"})


@dataclass(frozen=True, slots=True)
class WentThrough:
    """One call's way."""

    call: str
    began: datetime
    outcome: str
    nodes: tuple[str, ...]
    """In the order they were entered."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The ways of a flow's last calls, the newest first."""

    calls: Sequence[WentThrough]

    @property
    def visits(self) -> Mapping[str, int]:
        """By node: the calls that were there."""
        return Counter(node for it in self.calls for node in set(it.nodes))

    @property
    def left(self) -> Mapping[str, int]:
        """By node: the calls whose caller hung up there."""
        return Counter(it.nodes[-1] for it in self.calls if it.nodes and it.outcome in _LEFT)

    def through(self, node: str) -> Sequence[WentThrough]:
        """Those that were there."""
        return [it for it in self.calls if node in it.nodes]


class FlowPaths:
    """Those of one database. For several threads."""

    def __init__(self, database: Engine) -> None:
        self._database = database
        self._known: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._lock = Lock()

    def of(self, flow: str, revision: str) -> Paths:
        """The last calls that this revision of a flow has carried to their end."""
        ended = (CallRow.flow == flow) & (CallRow.flow_revision == revision) & CallRow.outcome.is_not(None)
        wanted = select(CallRow.id, CallRow.started_at, CallRow.outcome).where(ended)
        with self._lock, self._database.connect() as connection:
            rows = connection.execute(wanted.order_by(CallRow.started_at.desc()).limit(LOOKED_AT)).all()
            self._read([row.id for row in rows if row.id not in self._known])
            return Paths([WentThrough(row.id, utc(row.started_at), row.outcome, self._known[row.id]) for row in rows])

    def _read(self, calls: Sequence[str]) -> None:
        for begin in range(0, len(calls), _AT_ONCE):
            some = calls[begin : begin + _AT_ONCE]
            found: dict[str, list[str]] = {call: [] for call in some}
            entered = StepRow.call_id.in_(some) & StepRow.actions.contains('"Entered"')
            wanted = select(StepRow.call_id, StepRow.actions).where(entered).order_by(StepRow.call_id, StepRow.number)
            with self._database.connect() as connection:
                for call, actions in connection.execute(wanted):
                    found[call] += [it["node"] for it in json.loads(actions) if it["type"] == "Entered"]
            self._known.update((call, tuple(nodes)) for call, nodes in found.items())
        while len(self._known) > max(_KEPT, len(calls)):
            self._known.popitem(last=False)
