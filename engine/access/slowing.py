"""How guessing passwords is slowed, and nobody kept out for ever. Pure.

Rules. Every attempt counts as failed until it has succeeded, so that attempts at the same time count too. Somebody may be wrong a
few times; after that each further try has to wait, twice as long as the last one, up to a limit:

========================================  =======  ============  ==============================================
counted                                   free     at most       does not concern
========================================  =======  ============  ==============================================
one name from one address                 5        five minutes
all names from one address                20       30 s          who has signed in from there before
one name from all addresses               20       30 s          the same
========================================  =======  ============  ==============================================

Who has signed in at a place before is not held up there by what strangers do with the name, or others at that place: a call
centre is one address. An hour without an attempt wipes a count out. What is counted is forgotten when the process ends.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from engine.core.units import Seconds

_FORGIVEN: Final = Seconds(3600.0)
_MOST: Final = 10_000  # counts that are remembered of each kind; the longest unused goes first

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class _Count:
    failures: int
    last: Seconds


class _Counts(Generic[K]):
    """Of one kind."""

    def __init__(self, free: int, longest: Seconds) -> None:
        self._free, self._longest = free, longest
        self._counts: OrderedDict[K, _Count] = OrderedDict()

    def wait(self, key: K, now: Seconds) -> Seconds:
        """How long until the next try."""
        count = self._counts.get(key)
        if count is None or count.failures < self._free or now - count.last >= _FORGIVEN:
            return Seconds(0.0)
        pause = min(self._longest, 2.0 ** min(30, count.failures - self._free))
        return Seconds(max(0.0, count.last + pause - now))

    def count(self, key: K, now: Seconds) -> None:
        """One more."""
        before = self._counts.pop(key, None)
        fresh = before is None or now - before.last >= _FORGIVEN
        self._counts[key] = _Count(1 if before is None or fresh else before.failures + 1, now)
        if len(self._counts) > _MOST:
            self._counts.popitem(last=False)

    def uncount(self, key: K) -> None:
        """One less: it was no failure."""
        before = self._counts.get(key)
        if before is not None:
            self._counts[key] = _Count(before.failures - 1, before.last)

    def wipe(self, key: K) -> None:
        """None any more."""
        self._counts.pop(key, None)


class Slowing:
    """Counts attempts; times are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._pairs: _Counts[tuple[str, str]] = _Counts(free=5, longest=Seconds(300.0))
        self._addresses: _Counts[str] = _Counts(free=20, longest=Seconds(30.0))
        self._names: _Counts[str] = _Counts(free=20, longest=Seconds(30.0))
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def attempt(self, name: str, address: str, now: Seconds) -> Seconds:
        """Count one attempt, or say how long it must wait: then it is not counted, and must not be made."""
        pair = (name, address)
        waits = [self._pairs.wait(pair, now)]
        if pair not in self._known:
            waits += [self._addresses.wait(address, now), self._names.wait(name, now)]
        if (wait := max(waits)) > 0:
            return wait
        self._pairs.count(pair, now)
        self._addresses.count(address, now)
        self._names.count(name, now)
        return Seconds(0.0)

    def succeeded(self, name: str, address: str) -> None:
        """The attempt that was counted last was right."""
        pair = (name, address)
        self._pairs.wipe(pair)
        self._addresses.uncount(address)  # not wiped: else an attacker's own name would clear what his guesses cost
        self._names.uncount(name)
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
