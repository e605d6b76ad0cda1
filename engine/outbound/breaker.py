"""Stops dialling through a carrier that fails, and tries it again carefully.

Rules. A failure is the carrier's: the telephone did not ring, and not for any reason of the called person's. Busy and unanswered
calls are no failures: the network works. Of the last ``PAST`` results, ``most`` failures open the breaker where they are also
``share`` of them. Open, nothing is dialled for a pause, which doubles each time it opens again. Then one call probes: any result
but a failure closes the breaker; a failure, or no result in time, opens it again.

::

                  closed            open              half open (with its probe out, or not yet)
    began         closed            -                 half open, the probe is out
    good          closed            open              closed
    failure       closed, or open   open              open, for longer
    deadline      -                 half open         open, for longer (where the probe is out)
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine.core.errors import ProtocolError
from engine.core.units import Seconds

PAST: Final = 40  # results that are looked back at


class Circuit(StrEnum):
    """How it stands."""

    CLOSED = "closed"
    """Calls go through."""
    OPEN = "open"
    """None do."""
    HALF_OPEN = "half_open"
    """One may."""


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When it opens, and for how long."""

    most: int = 8
    """Failures of late that open it ..."""
    share: float = 0.5
    """... where they are this share of the results of late."""
    pause: Seconds = Seconds(30.0)
    longest: Seconds = Seconds(600.0)
    probe: Seconds = Seconds(120.0)
    """How long a probe may go without a result; longer than a telephone rings."""


class Breaker:
    """One carrier's."""

    def __init__(self, policy: BreakerPolicy = BreakerPolicy()) -> None:
        self.circuit = Circuit.CLOSED
        self._policy = policy
        self._past: deque[bool] = deque(maxlen=PAST)  # whether each was good
        self._in_a_row = 0  # openings without a good result between them
        self._until: Seconds | None = None
        self._probing = False

    @property
    def deadline(self) -> Seconds | None:
        """When :meth:`tick` changes something by itself."""
        return self._until

    @property
    def allows(self) -> int | None:
        """How many calls may be begun now; ``None``: as many as anybody wants."""
        if self.circuit is Circuit.CLOSED:
            return None
        return 1 if self.circuit is Circuit.HALF_OPEN and not self._probing else 0

    def tick(self, now: Seconds) -> None:
        """Let time pass."""
        if self._until is None or now < self._until:
            return
        if self.circuit is Circuit.OPEN:
            self.circuit, self._until, self._probing = Circuit.HALF_OPEN, None, False
        else:
            self._open(now)

    def began(self, now: Seconds) -> None:
        """A call is begun.

        Raises:
            ProtocolError: none may be.
        """
        if self.allows == 0:
            raise ProtocolError(f"expected no call through a carrier whose breaker is {self.circuit}")
        if self.circuit is Circuit.HALF_OPEN:
            self._probing, self._until = True, Seconds(now + self._policy.probe)

    def spared(self) -> None:
        """A call that was begun was never made, for a reason of our own: it tells nothing."""
        if self.circuit is Circuit.HALF_OPEN and self._probing:
            self._probing, self._until = False, None

    def ended(self, now: Seconds, *, good: bool) -> None:
        """A call has a result; those that were begun before it opened have theirs late, and close nothing."""
        self._past.append(good)
        if self.circuit is Circuit.HALF_OPEN and self._probing:
            if good:
                self._close()
            else:
                self._open(now)
        elif self.circuit is Circuit.CLOSED and not good and self._burst:
            self._open(now)

    @property
    def _burst(self) -> bool:
        failures = self._past.count(False)
        return failures >= self._policy.most and failures >= self._policy.share * len(self._past)

    def _open(self, now: Seconds) -> None:
        pause = min(self._policy.longest, self._policy.pause * 2**self._in_a_row)
        self._in_a_row = min(self._in_a_row + 1, 30)
        self.circuit, self._until, self._probing = Circuit.OPEN, Seconds(now + pause), False

    def _close(self) -> None:
        self.circuit, self._until, self._probing, self._in_a_row = Circuit.CLOSED, None, False, 0
        self._past.clear()
