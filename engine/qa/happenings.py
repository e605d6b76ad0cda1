"""What happens in a call besides speech: hold, music, keys, transfers, who hangs up, how loud a turn is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from engine.qa.bounds import Bounds
from engine.qa.spans import Span, Spans, spans
from engine.qa.terms import Listener, Term
from engine.qa.timeline import CallEvent, EventKind


@dataclass(frozen=True, slots=True, eq=False)
class Happens(Term):
    """Events of a kind. They are not in doubt; only whose doing one was may be unknown."""

    said: ClassVar[bool] = False

    kind: EventKind

    above: float = -math.inf
    """Only those of a value above; in the kind's unit."""

    below: float = math.inf

    @property
    def what(self) -> Sequence[str]:
        limits = [f"above {self.above:g}"] * (self.above > -math.inf) + [f"below {self.below:g}"] * (self.below < math.inf)
        return [" ".join([self.kind.value.replace("_", " "), *limits])]

    def find(self, listener: Listener) -> Bounds:
        events = [it for it in self._all(listener) if self._fits(it)]
        sure = spans(it.span for it in events if self.by in {None, it.span.speaker})
        return Bounds(sure, sure | spans(it.span for it in events if it.span.speaker is None))

    def nearest(self, listener: Listener, ground: Spans) -> Span | None:
        """The one with the value nearest to the wanted, or the longest."""
        inside = spans(it.span for it in self._all(listener)).within(ground)
        events = [it for it in self._all(listener) if it.span in inside]
        return min(events, key=lambda it: (self._short_of(it), -it.span.length)).span if events else None

    def deaf(self, listener: Listener) -> bool:
        return not listener.call.listens_for(self.kind)

    def _all(self, listener: Listener) -> Sequence[CallEvent]:
        return [it for it in listener.call.events if it.kind is self.kind]

    def _fits(self, event: CallEvent) -> bool:
        if self.above == -math.inf and self.below == math.inf:
            return True
        return event.value is not None and self.above < event.value < self.below

    def _short_of(self, event: CallEvent) -> float:
        return 0.0 if event.value is None else max(self.above - event.value, event.value - self.below, 0.0)
