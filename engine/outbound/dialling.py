"""Who dials next.

The campaign of the highest priority that has somebody due, a line and its pace; among equals the one that was served longest ago.
All share the line's own pace and its breaker. Paused and stopped campaigns are not among the running ones: calls in progress go
on, no new one begins. Where the answer is "later", ``deadline`` says when.

Of a campaign whose calls end at live operators somebody tells how many are free (:class:`Staffed`). Each of its calls that was
answered may want one, so each keeps one; who was handed over has one, until the next telling knows it. Nobody is called for
operators of whom nothing was told for ``STALE``.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from engine.core.errors import ProtocolError
from engine.core.units import Seconds
from engine.outbound.breaker import Breaker
from engine.outbound.contacts import AttemptId, CampaignId, Reached
from engine.outbound.pacing import PATIENCE, AdaptivePacing, FixedPacing, Operators

CARRIERS_FAULT: Final = frozenset({Reached.CONGESTED, Reached.FAILED})
"""What the breaker counts as failures."""

STALE: Final = Seconds(15.0)  # after which nobody knows any more how many operators are free
_NOBODY: Final = Operators(free=0, busy=0)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a campaign that runs may be dialled."""

    priority: int = 0
    """The greater goes first."""

    lines: int | None = None
    """Most calls at once; ``None`` = as many as there are."""

    per_second: float | None = None
    """New calls; ``None`` = as the line allows."""

    abandoned: float | None = None
    """Calls end at live operators: the largest share of those who want one and may find none; ``None`` = they don't."""

    patience: Seconds = PATIENCE
    """How long somebody may wait for one."""


@dataclass(frozen=True, slots=True)
class Running:
    """These campaigns run now, and no others."""

    terms: Mapping[CampaignId, Terms]


@dataclass(frozen=True, slots=True)
class Lines:
    """So many calls may be in progress at once."""

    most: int


@dataclass(frozen=True, slots=True)
class Staffed:
    """How many operators can take a campaign's calls, and how many people wait for one."""

    campaign: CampaignId
    operators: Operators
    waiting: int = 0
    shared: bool = False
    """All diallers are told of the same ones: each takes its part."""


@dataclass(frozen=True, slots=True)
class Committed:
    """An intent was committed for a campaign whose turn it was."""

    campaign: CampaignId
    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class NothingDue:
    """Nobody of a campaign whose turn it was may be dialled before then."""

    campaign: CampaignId
    until: Seconds


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An attempt was never made."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody, or something, has answered."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody wanted an operator."""

    attempt: AttemptId
    waited: Seconds
    found: bool
    """Whether there was one, however late."""


@dataclass(frozen=True, slots=True)
class Over:
    """A call is over; ``None``: the carrier was lost on the way, so nobody knows yet."""

    attempt: AttemptId
    reached: Reached | None


Event: TypeAlias = Running | Lines | Staffed | Committed | NothingDue | Withdrawn | Answered | Asked | Over


@dataclass(slots=True)
class _Call:
    campaign: CampaignId
    since: Seconds
    answered: bool = False


class Dialling:
    """Decides who dials next on one line. Time is any clock's that only goes forward."""

    def __init__(self, lines: int, per_second: float, breaker: Breaker | None = None) -> None:
        """``lines``: most calls at once; ``per_second``: new calls."""
        self.breaker = breaker or Breaker()
        self._now = Seconds(-math.inf)
        self._lines = lines
        self._pace = FixedPacing(per_second)
        self._terms: Mapping[CampaignId, Terms] = {}
        self._paces: dict[CampaignId, FixedPacing] = {}
        self._asleep: dict[CampaignId, Seconds] = {}
        self._served: dict[CampaignId, int] = {}
        self._turns = itertools.count(1)
        self._taking: Counter[CampaignId] = Counter()  # turns that were given and not used yet
        self._calls: dict[AttemptId, _Call] = {}
        self._staffed: dict[CampaignId, tuple[Staffed, Seconds]] = {}
        self._adaptive: dict[CampaignId, AdaptivePacing] = {}

    @property
    def deadline(self) -> Seconds | None:
        """When :meth:`tick` may give a turn that it could not give before; ``None``: only events change anything."""
        if not self._terms:
            return self.breaker.deadline
        times = [self._pace.deadline, *(pace.deadline for pace in self._paces.values()), *self._asleep.values()]
        if self.breaker.deadline is not None:
            times.append(self.breaker.deadline)
        return min((Seconds(it) for it in times if it > self._now), default=None)

    @property
    def live(self) -> int:
        """Calls that are being made or go on."""
        return len(self._calls) + self._taking.total()

    def tick(self, now: Seconds) -> tuple[CampaignId, ...]:
        """Give turns: for each campaign named one intent may be committed; :class:`Committed` or :class:`NothingDue` follows."""
        self._now = now
        self.breaker.tick(now)
        return tuple(self._turns_now(now))

    def receive(self, event: Event, now: Seconds) -> None:
        """Take what has happened; ask :meth:`tick` afterwards.

        Raises:
            ProtocolError: it is of a turn that was not given, or of no call.
        """
        match event:
            case Running(terms):
                self._run(terms)
            case Lines(most):
                self._lines = most
            case Staffed(campaign=campaign):
                self._staffed[campaign] = (event, now)
            case Committed(campaign, attempt):
                self._taken(campaign)
                self._calls[attempt] = _Call(campaign, now)
            case NothingDue(campaign, until):
                self._taken(campaign)
                self.breaker.spared()
                self._asleep[campaign] = until
            case Withdrawn(attempt):
                self._over(attempt)
                self.breaker.spared()
            case Answered(attempt):
                self._answered(attempt, now)
            case Asked(attempt, waited, found):
                self._asked(attempt, waited, found=found)
            case Over(attempt, reached):
                self._ended(attempt, reached, now)

    def adaptive(self, campaign: CampaignId) -> AdaptivePacing:
        """The adaptive pace of a campaign whose calls end at operators."""
        return self._adaptive.setdefault(campaign, AdaptivePacing())

    def staffed(self, campaign: CampaignId, now: Seconds) -> Staffed:
        """How many operators it has; none, where nobody has told for long."""
        told, at = self._staffed.get(campaign, (None, now))
        return told if told is not None and now - at < STALE else Staffed(campaign, _NOBODY)

    def wake(self, campaign: CampaignId) -> None:
        """Look at a campaign again at once: its list, its state or its rules have changed."""
        self._asleep.pop(campaign, None)

    # What has happened

    def _run(self, terms: Mapping[CampaignId, Terms]) -> None:
        changed = {campaign for campaign, it in terms.items() if self._terms.get(campaign) != it}
        for gone in (self._terms.keys() - terms.keys()) | changed:
            self._paces.pop(gone, None)
            self._asleep.pop(gone, None)
        for campaign in changed:
            if (per_second := terms[campaign].per_second) is not None:
                self._paces[campaign] = FixedPacing(per_second)
            if (abandoned := terms[campaign].abandoned) is not None:
                self.adaptive(campaign).limit = abandoned
        self._terms = dict(terms)

    def _taken(self, campaign: CampaignId) -> None:
        if not self._taking[campaign]:
            raise ProtocolError(f"expected a campaign whose turn it is, found {campaign}")
        self._taking[campaign] -= 1

    def _over(self, attempt: AttemptId) -> _Call:
        call = self._calls.pop(attempt, None)
        if call is None:
            raise ProtocolError(f"expected a call in progress, found {attempt}")
        return call

    def _answered(self, attempt: AttemptId, now: Seconds) -> None:
        call = self._calls.get(attempt)
        if call is None or call.answered:
            raise ProtocolError(f"expected a call that rings, found {attempt}")
        call.answered = True
        self.breaker.ended(now, good=True)
        self.adaptive(call.campaign).over(answered=True, rang=Seconds(now - call.since))

    def _asked(self, attempt: AttemptId, waited: Seconds, *, found: bool) -> None:
        call = self._calls.get(attempt)
        if call is None:
            raise ProtocolError(f"expected a call in progress, found {attempt}")
        patience = self._terms[call.campaign].patience if call.campaign in self._terms else PATIENCE
        self.adaptive(call.campaign).asked(found=found and waited <= patience)
        if found and call.campaign in self._staffed:
            told, at = self._staffed[call.campaign]
            free, busy = max(0, told.operators.free - 1), told.operators.busy + 1
            self._staffed[call.campaign] = (replace(told, operators=Operators(free, busy)), at)

    def _ended(self, attempt: AttemptId, reached: Reached | None, now: Seconds) -> None:
        call = self._over(attempt)
        if call.answered:
            return
        self.breaker.ended(now, good=reached is not None and reached not in CARRIERS_FAULT)
        self.adaptive(call.campaign).over(answered=False, rang=Seconds(now - call.since))

    # Whose turn it is

    def _turns_now(self, now: Seconds) -> Iterator[CampaignId]:
        while self.live < self._lines and self._pace.allows(now) and self.breaker.allows != 0:
            ready = [campaign for campaign in self._terms if self._may(campaign, now)]
            if not ready:
                return
            chosen = min(ready, key=lambda it: (-self._terms[it].priority, self._served.get(it, 0), it))
            self._begin(chosen, now)
            yield chosen

    def _begin(self, campaign: CampaignId, now: Seconds) -> None:
        self._taking[campaign] += 1
        self._served[campaign] = next(self._turns)
        self._pace.began(now)
        self.breaker.began(now)
        if campaign in self._paces:
            self._paces[campaign].began(now)

    def _may(self, campaign: CampaignId, now: Seconds) -> bool:
        if self._asleep.get(campaign, now) > now:
            return False
        if campaign in self._paces and not self._paces[campaign].allows(now):
            return False
        lines = self._terms[campaign].lines
        mine = [it for it in self._calls.values() if it.campaign == campaign]
        if lines is not None and len(mine) + self._taking[campaign] >= lines:
            return False
        if self._terms[campaign].abandoned is None:
            return True
        staffed, answered = self.staffed(campaign, now), sum(it.answered for it in mine)
        ringing = len(mine) - answered + self._taking[campaign]
        return ringing < self.adaptive(campaign).ring(staffed.operators, max(staffed.waiting, answered))
