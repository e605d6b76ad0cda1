"""How fast a campaign dials.

**Fixed**: at most so many new calls a second, evenly, never in bursts, and at most so many at once.

**Adaptive**, where calls end at live operators. Somebody is abandoned who wants an operator and waits longer than ``PATIENCE``.
Dialling only as many as there are operators free abandons nobody, and wastes their time; dialling more risks it. So:

* every call begun beyond the operators who are free now is a risk, covered by credit: ``limit`` of all who wanted an operator,
  less those who were abandoned (machines, and people who wanted none, earn nothing). Were all of them answered at once, the share
  would still be within the limit. So it is held at every moment and not only in the mean, as long as no operator leaves while
  telephones ring; where that costs more than the credit, nothing is dialled beyond the free operators until it is earned again;
* credit is spent only where it pays: as long as the calls expected to be abandoned are within ``limit`` of those expected to be
  answered, with the share of answered calls as it was of late, and the operators who will be free before a telephone is answered.

The limits of 3 % and 2 s are those of the regulators (FCC, 47 CFR 64.1200(a)(7); Ofcom's policy on persistent misuse).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from engine.core.units import Seconds

PATIENCE: Final = Seconds(2.0)  # from an answer to an operator
LIMIT: Final = 0.03
_MEMORY: Final = 200.0  # calls that an average looks back at
_PRIOR_ANSWERED: Final = 0.5  # more than is usual, so that the first calls are careful
_PRIOR_CALLS: Final = 20.0


class FixedPacing:
    """An even pace."""

    def __init__(self, per_second: float) -> None:
        """``per_second``: new calls; more than 0."""
        self._gap = 1.0 / per_second
        self._next = -math.inf

    def allows(self, now: Seconds) -> bool:
        """Whether a call may be begun."""
        return now >= self._next

    @property
    def deadline(self) -> Seconds:
        """When the next call may be begun."""
        return Seconds(self._next)

    def began(self, now: Seconds) -> None:
        """A call is begun; a late one brings no second one after it."""
        self._next = max(self._next + self._gap, now + self._gap / 2) if math.isfinite(self._next) else now + self._gap


@dataclass(frozen=True, slots=True)
class Operators:
    """Who can take calls."""

    free: int

    busy: int
    """Talking; those on a break are neither."""

    def part(self, place: int, of: int) -> Operators:
        """Those on whom one of several diallers may count; ``place`` from 0. No operator is in two parts."""
        return Operators(*(all_ // of + (place < all_ % of) for all_ in (self.free, self.busy)))


class AdaptivePacing:
    """How many telephones may ring at once, so that operators don't wait and callers are not abandoned."""

    def __init__(self, limit: float = LIMIT) -> None:
        self.limit = limit
        self.wanted = 0
        self.abandoned = 0
        self._share = _Average(_PRIOR_ANSWERED, _PRIOR_CALLS)
        self._rings = _Average(15.0, 1.0)  # seconds until an answer
        self._talks = _Average(120.0, 1.0)  # seconds with an operator

    @property
    def credit(self) -> int:
        """How many calls may be abandoned now and the limit still be held."""
        return max(0, math.floor(self.limit * self.wanted + 1e-9) - self.abandoned)

    def ring(self, operators: Operators, waiting: int = 0) -> int:
        """How many telephones may ring; ``waiting`` have answered and have no operator yet."""
        free = operators.free - waiting
        most = max(0, free + self.credit)
        wanted = max(0, free)
        while wanted < most and self._pays(wanted + 1, free, operators.busy):
            wanted += 1
        return wanted

    def over(self, *, answered: bool, rang: Seconds) -> None:
        """A telephone has stopped ringing."""
        self._share.add(float(answered))
        if answered:
            self._rings.add(rang)

    def asked(self, *, found: bool) -> None:
        """Somebody wanted an operator, and had one within ``PATIENCE``, or not."""
        self.wanted += 1
        self.abandoned += not found

    def talked(self, seconds: Seconds) -> None:
        """An operator has ended a call."""
        self._talks.add(seconds)

    def _pays(self, ringing: int, free: int, busy: int) -> bool:
        """Whether the expected loss is within the limit where so many ring."""
        soon = busy * (1.0 - math.exp(-(self._rings.mean + PATIENCE / 2) / max(1.0, self._talks.mean)))
        likely = self._share.mean
        expected = ringing * likely
        return _excess(ringing, likely, free + math.floor(soon)) <= self.limit * expected


class _Average:
    """Of what was of late: old values fade."""

    def __init__(self, prior: float, weight: float) -> None:
        self.mean = prior
        self._weight = weight

    def add(self, value: float) -> None:
        """Take one more."""
        self._weight = min(self._weight + 1.0, _MEMORY)
        self.mean += (value - self.mean) / self._weight


def _excess(calls: int, likely: float, places: int) -> float:
    """How many of ``calls``, each answered with the chance ``likely``, find no place: E[max(0, Bin - places)]."""
    if places < 0:
        return calls * likely - places
    if calls <= places:
        return 0.0
    chance = (1.0 - likely) ** calls
    excess, likely = 0.0, min(likely, 1.0 - 1e-9)
    for answered in range(calls + 1):
        if answered > places:
            excess += (answered - places) * chance
        chance *= (calls - answered) / (answered + 1) * likely / (1.0 - likely)
    return excess
