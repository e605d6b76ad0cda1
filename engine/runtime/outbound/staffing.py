"""How many live operators are free, as the bank's own telephony tells this engine, for each campaign whose calls end at them.

Each engine is told by itself: of operators on whom it alone may count, or of all of them, where every engine is told the same.
Then the dialler takes its part (:meth:`engine.outbound.pacing.Operators.part`): two engines that count on the same one would both
call somebody for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from engine.core.units import Seconds
from engine.outbound.contacts import CampaignId
from engine.outbound.dialling import Staffed


class Staffing:
    """What was told last, and when. For one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[CampaignId, tuple[Staffed, Seconds]] = {}

    def tell(self, staffed: Staffed) -> None:
        """Take what is so now."""
        self._told[staffed.campaign] = (staffed, Seconds(self._clock()))

    def __call__(self) -> Mapping[CampaignId, tuple[Staffed, Seconds]]:
        """All of it, each with the moment at which it was told."""
        return self._told
