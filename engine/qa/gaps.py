"""How far a gap reaches while the call goes on: at least, and at most, whatever is still said."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from engine.core.units import Seconds
from engine.qa.expressions import Amount, Unit
from engine.qa.prospects import FOREVER, Ranges
from engine.qa.spans import Reach
from engine.qa.timeline import Timeline, reach_of_seconds


@dataclass(frozen=True)
class Gaps:
    """One moment of a call: what begins later than ``now`` is still to come."""

    call: Timeline

    now: Seconds

    def ranges(self, gap: Amount) -> Ranges:
        """What :class:`Timeline` will reach at the call's end."""
        number = int(gap.number) if gap.unit is not Unit.SECONDS else 0
        match gap.unit:
            case Unit.TURNS:
                return Ranges(self._least_turns(number), self._most_turns(number))
            case Unit.WORDS:
                return Ranges(self._least_words(number), self._most_words(number))
        reach = reach_of_seconds(Seconds(gap.number))
        return Ranges(reach, reach)

    @cached_property
    def _turn_ends(self) -> list[Seconds]:
        """The latest end until each turn."""
        return list(accumulate((it.end for it in self.call.turns), max))

    def _turn(self, number: int) -> Callable[[Seconds], int]:
        starts = [it.start for it in self.call.turns]
        return lambda time: bisect_left(starts, time) - 1 + number

    def _least_turns(self, number: int) -> Reach:
        turn, ends = self._turn(number), self._turn_ends

        def reach(time: Seconds) -> Seconds:
            at = turn(time)
            return time if at < 0 else ends[at] if at < len(ends) else max(self.now, ends[-1])

        return reach

    def _most_turns(self, number: int) -> Reach:
        turn, ends = self._turn(number), self._turn_ends

        def reach(time: Seconds) -> Seconds:
            at = turn(time)
            open_ = time > self.now or at >= len(ends) - 1
            return time if at < 0 and time <= self.now else FOREVER if open_ else ends[at]

        return reach

    def _least_words(self, number: int) -> Reach:
        starts = self._word_starts

        def reach(time: Seconds) -> Seconds:
            at = bisect_right(starts, time) + number
            return starts[at] if at < len(starts) and starts[at] <= self.now else max(time, self.now)

        return reach

    def _most_words(self, number: int) -> Reach:
        starts = self._word_starts

        def reach(time: Seconds) -> Seconds:
            at = bisect_right(starts, time) + number
            return starts[at] if at < len(starts) and time < self.now else FOREVER

        return reach

    @cached_property
    def _word_starts(self) -> list[Seconds]:
        return [word.start for word in self.call.words]
