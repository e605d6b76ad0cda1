"""Those who look on at every call: one log line a call, and the metrics. Neither ever sees words or digits."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from engine.core.call import CallFacts, CallId
from engine.core.units import Seconds
from engine.dialogue.actions import Action, Decided, Entered
from engine.dialogue.events import Event
from engine.runtime.lags import Lags
from engine.runtime.streams import StreamMetrics
from engine.runtime.watch import Watch

_log = structlog.get_logger("call")
_RESPONSE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0)  # seconds
_WORK = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # seconds


class Everybody:
    """Several who look on, as one."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = tuple(watches)

    def began(self, call: CallFacts) -> None:
        """A call was taken."""
        for watch in self._watches:
            watch.began(call)

    def stepped(self, call: CallFacts, now: Seconds, event: Event | None, actions: tuple[Action, ...]) -> None:
        """The conversation took a step."""
        for watch in self._watches:
            watch.stepped(call, now, event, actions)

    def replied(self, call: CallFacts, after: Seconds) -> None:
        """A reply has begun."""
        for watch in self._watches:
            watch.replied(call, after)

    def ended(self, call: CallFacts, outcome: str) -> None:
        """The call is over."""
        for watch in self._watches:
            watch.ended(call, outcome)


@dataclass(slots=True)
class _Summary:
    rungs: Tally[str] = field(default_factory=Tally)
    nodes: int = 0
    length: Seconds = Seconds(0.0)
    slowest_reply: Seconds = Seconds(0.0)


class CallLog:
    """Writes one structured line for each call, when it ends (a "canonical log line")."""

    def __init__(self) -> None:
        self._summaries: dict[CallId, _Summary] = {}

    def began(self, call: CallFacts) -> None:
        """Open the summary."""
        self._summaries[call.id] = _Summary()

    def stepped(self, call: CallFacts, now: Seconds, event: Event | None, actions: tuple[Action, ...]) -> None:  # noqa: ARG002
        """Count."""
        summary = self._summaries[call.id]
        summary.length = now
        summary.rungs.update(action.rung.value for action in actions if isinstance(action, Decided))
        summary.nodes += sum(isinstance(action, Entered) for action in actions)

    def replied(self, call: CallFacts, after: Seconds) -> None:
        """Remember the slowest."""
        summary = self._summaries[call.id]
        summary.slowest_reply = max(summary.slowest_reply, after)

    def ended(self, call: CallFacts, outcome: str) -> None:
        """Write the line."""
        summary = self._summaries.pop(call.id)
        _log.info(
            "call.ended",
            call=call.id,
            door=call.door,
            outcome=outcome,
            seconds=round(summary.length, 2),
            nodes=summary.nodes,
            rungs=dict(summary.rungs),
            slowest_reply_s=round(summary.slowest_reply, 3),
        )


class Metrics:
    """Prometheus metrics; labels are names from the configuration, never anything a caller said."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.streams = StreamMetrics(self.registry)
        self._live = Gauge("callwright_calls_live", "Calls in progress", registry=self.registry)
        self._calls = Counter("callwright_calls", "Calls that ended", ["door", "outcome"], registry=self.registry)
        self._refused = Counter("callwright_calls_refused", "Calls above max_calls", ["door"], registry=self.registry)
        self._turns = Counter("callwright_turns", "Turns by rung of the ladder", ["rung"], registry=self.registry)
        self._reply = Histogram(
            "callwright_reply_seconds",
            "From the end of the caller's voice to the reply's first sample",
            buckets=_RESPONSE,
            registry=self.registry,
        )
        self._work = Histogram(
            "callwright_worker_seconds", "One batch in a model worker", ["pool"], buckets=_WORK, registry=self.registry
        )

    def began(self, call: CallFacts) -> None:  # noqa: ARG002
        """One more."""
        self._live.inc()

    def stepped(self, call: CallFacts, now: Seconds, event: Event | None, actions: tuple[Action, ...]) -> None:  # noqa: ARG002
        """Count the turns."""
        for action in actions:
            if isinstance(action, Decided):
                self._turns.labels(action.rung.value).inc()

    def replied(self, call: CallFacts, after: Seconds) -> None:  # noqa: ARG002
        """Take the time."""
        self._reply.observe(after)

    def ended(self, call: CallFacts, outcome: str) -> None:
        """One less."""
        self._live.dec()
        self._calls.labels(call.door, outcome).inc()

    def refused(self, call: CallFacts) -> None:
        """A call was turned away."""
        self._refused.labels(call.door).inc()

    def worked(self, pool: str, seconds: float) -> None:
        """A worker has answered a batch."""
        self._work.labels(pool).observe(seconds)

    def watch_loop(self, lags: Lags) -> None:
        """Show how late the media loop has been."""
        for name, share in (("p99", 0.99), ("worst", 1.0)):
            gauge = Gauge(
                f"callwright_loop_lag_{name}_seconds", "How late the media loop came to its work", registry=self.registry
            )
            gauge.set_function(partial(lags.quantile, share))
