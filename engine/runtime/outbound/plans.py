"""Which campaigns run, from the database, and how their files want them dialled."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import Engine

from engine.core.units import Seconds
from engine.outbound.clock import Doubt, SureClock
from engine.outbound.contacts import CampaignId
from engine.outbound.dialling import Terms
from engine.runtime.outbound.line import Plan
from engine.store.bad_calls import note_bad_calls
from engine.store.campaigns import Campaigns, KeptCampaign

_log = structlog.get_logger(__name__)
_NOTE_EVERY = 60.0  # seconds between two looks at what quality control has found; it takes longer than that to hear a call
FlowNamed = Callable[[Path], str | None]
"""The name by which the engine knows a flow file; ``None`` where it has not loaded it."""


class CampaignPlans:
    """See :class:`engine.runtime.outbound.line.Plans`."""

    def __init__(self, database: Engine, flow_named: FlowNamed | None = None) -> None:
        """``flow_named`` is left out where nobody talks in earnest."""
        self._database, self._campaigns = database, Campaigns(database)
        self._flow_named = flow_named
        self._told: set[str] = set()
        self._noted = -math.inf

    def running(self) -> Mapping[CampaignId, Plan]:
        """Those that run, and whose flow is there: a call without its words is not made."""
        if time.monotonic() - self._noted >= _NOTE_EVERY:
            note_bad_calls(self._database, datetime.now(UTC))
            self._noted = time.monotonic()
        return dict(self._plans())

    def settle(self, now: datetime) -> None:
        """Finish those in which nobody waits any more."""
        for name in self._campaigns.settle(now):
            _log.info("campaign.finished", campaign=name)

    def _plans(self) -> Iterator[tuple[CampaignId, Plan]]:
        running, unusable = self._campaigns.running()
        for name, errors in unusable.items():
            self._tell(name, str(errors))
        for kept in running:
            flow = None if self._flow_named is None else self._flow_named(Path(kept.place) / kept.policy.flow)
            if self._flow_named is None or flow is not None:
                yield kept.id, _plan(kept, flow)
            else:
                self._tell(kept.name, f"expected the flow {kept.policy.flow!r} among [flow] others, found it not there")

    def _tell(self, name: str, found: str) -> None:
        """Log why a campaign is not dialled, once."""
        if name not in self._told:
            self._told.add(name)
            _log.error("campaign.not_dialled", campaign=name, found=found)


class TimeOfDay:
    """The wall clock, as far as it can be believed (:mod:`engine.outbound.clock`)."""

    def __init__(self, written: datetime | None = None) -> None:
        """``written``: the latest moment that was written before; a clock that is behind it is not believed."""
        self._clock = SureClock(written)
        self._in_doubt = False

    def __call__(self) -> datetime | None:
        """The time; ``None`` while it is in doubt."""
        wall = datetime.now(UTC)
        told = self._clock.tell(wall, Seconds(time.clock_gettime(time.CLOCK_BOOTTIME)))
        if isinstance(told, Doubt):
            if not self._in_doubt:
                _log.error("outbound.clock", found=str(told))
            self._in_doubt = True
            return None
        self._in_doubt = False
        return told


def _plan(kept: KeptCampaign, flow: str | None) -> Plan:
    pacing = kept.policy.pacing
    terms = Terms(
        priority=kept.policy.priority,
        lines=pacing.lines,
        per_second=pacing.calls_a_second,
        abandoned=pacing.abandoned if pacing.operators else None,
        patience=pacing.answer_within,
    )
    return Plan(terms, pacing.ring, kept.policy.caller_id, flow)
