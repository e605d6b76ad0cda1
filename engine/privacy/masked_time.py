"""When a call is masked: times that tell neither how long a secret was, nor its rhythm, nor how many digits it had.

Rules:

* A mask lasts a whole number of :data:`STEP`: a PIN and a long code look alike, a card may take a step more. So the call keeps
  its own timeline, which windows of scorecards, other systems' records and the sound all share. Cutting every secret to one
  length would move all that follows, and the call's own length, known elsewhere, would tell what was cut.
* Masks less than :data:`APART` from each other are one: groups of digits show no rhythm.
* Inside a mask nothing is told. It belongs to the turn in which its secret begins, or which goes on after it; other turns end
  before it or begin behind it, and what lies wholly inside is gone.
* Masking again changes nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil
from typing import Final

from engine.core.speech import Transcript, Word
from engine.core.units import Seconds
from engine.privacy.speech import MASK

STEP: Final = Seconds(4.0)  # a PIN, a security code or a one-time code takes 1 to 4, keyed or spoken, margins and all
APART: Final = Seconds(1.0)
KEYS: Final = "keys"
"""The kind of what was keyed; the others are those of :class:`engine.privacy.kinds.Kind`."""
UNHEARD: Final = "unheard"
"""The kind of speech that no recogniser could be asked about."""

_ROUNDING: Final = 1e-6  # of a step


@dataclass(frozen=True, slots=True)
class MaskedTime:
    """A stretch of the call in which nothing is told, of any speaker."""

    start: Seconds
    end: Seconds

    kinds: tuple[str, ...]
    """What is in it, sorted."""

    def meets(self, start: Seconds, end: Seconds) -> bool:
        """Whether any of a stretch lies in it."""
        return start < self.end and self.start < end

    def holds(self, word: Word) -> bool:
        """Whether a word lies in it, by its middle: a neighbour that only the margin touches is told."""
        return self.start <= (word.start + word.end) / 2 <= self.end


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one speaker said, and from when to when."""

    start: Seconds
    end: Seconds
    said: Transcript


def masked_times(found: Iterable[MaskedTime], duration: Seconds) -> tuple[MaskedTime, ...]:
    """Widen what was found in a call of ``duration`` to whole steps, and join what lies close; in order."""
    times = _joined(found)
    duration = max(duration, *(time.end for time in times)) if times else duration
    while (wider := _joined(_whole_steps(time, duration) for time in times)) != times:
        times = wider
    return times


def told_outside(stretch: Stretch, times: Iterable[MaskedTime], own: Container[MaskedTime]) -> Stretch | None:
    """Tell what was said outside the masks, with one mask for all words inside each; ``own``: those that belong to this turn.

    Other readings of a turn that meets a mask go, since their words have no times. ``None``: all of it lies inside.
    """
    met = [time for time in times if time.meets(stretch.start, stretch.end) or any(map(time.holds, stretch.said.words))]
    if any(time not in own and time.start <= stretch.start and stretch.end <= time.end for time in met):
        return None
    seen = {time: _seen(stretch, time, owned=time in own) for time in met}
    start = next((seen[time][0] for time in met if time.start <= stretch.start), stretch.start)
    end = next((seen[time][1] for time in met if stretch.end <= time.end), stretch.end)
    words = tuple(_words(stretch.said.words, seen))
    said = replace(stretch.said, words=words, alternatives=() if met else stretch.said.alternatives)
    return Stretch(start, end, said)


def _seen(stretch: Stretch, time: MaskedTime, *, owned: bool) -> tuple[Seconds, Seconds]:
    """Give what a turn shows of a mask: all of it, or only the edge behind which it begins or at which it ends."""
    begins, ends = time.start <= stretch.start, stretch.end <= time.end
    if owned or not (begins or ends):
        return time.start, time.end
    return (time.end, time.end) if begins else (time.start, time.start)


def _words(words: Iterable[Word], seen: Mapping[MaskedTime, tuple[Seconds, Seconds]]) -> Iterator[Word]:
    for mask, inside in groupby(words, key=lambda word: next((time for time in seen if time.holds(word)), None)):
        if mask is None:
            yield from (_beside(word, seen) for word in inside)
        else:
            yield Word(MASK, *seen[mask])


def _beside(word: Word, masks: Iterable[MaskedTime]) -> Word:
    """Cut off what of a word lies in a mask."""
    start = next((time.end for time in masks if time.start < word.start < time.end), word.start)
    end = next((time.start for time in masks if time.start < word.end < time.end), word.end)
    return replace(word, start=start, end=Seconds(max(start, end)))


def _whole_steps(time: MaskedTime, duration: Seconds) -> MaskedTime:
    """At the call's end the mask grows backwards; what is longer than the call is the call."""
    length = STEP * ceil((time.end - time.start) / STEP - _ROUNDING)
    start = max(0.0, min(time.start, duration - length))
    return replace(time, start=Seconds(start), end=Seconds(min(start + length, duration)))


def _joined(found: Iterable[MaskedTime]) -> tuple[MaskedTime, ...]:
    joined: list[MaskedTime] = []
    for time in sorted(found, key=lambda time: (time.start, time.end)):
        if joined and time.start < joined[-1].end + APART:
            before = joined.pop()
            kinds = tuple(sorted({*before.kinds, *time.kinds}))
            joined.append(MaskedTime(before.start, Seconds(max(before.end, time.end)), kinds))
        else:
            joined.append(time)
    return tuple(joined)
