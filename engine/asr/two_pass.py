"""Two passes over one turn: when to ask the second recogniser, and whom to believe. Pure; the driver does the asking.

* The second is asked when the first is unsure, or can't say how sure it is, and there is time for it.
* It never replaces words by a loop, by more words than can be said, or by a text of quite another length: noise makes a free
  recogniser write at length (measured: a cascade without these guards made noisy turns worse).
* Where both say the same, the words stand and are surer than either alone; where they differ, the first speaks if it is the
  surer one, by ``surer_by`` at least, else the second, the larger model. The other's words are kept as the first alternative.
  After them come what each held for the next likeliest, in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import Protocol

from engine.asr.guards import distrust
from engine.asr.normalise import normalise
from engine.core.speech import Transcript
from engine.core.units import Confidence, Seconds


class Agreement(Protocol):
    """Fitted on labelled turns that both recognisers heard."""

    def turn(self, chosen: Confidence, other: Confidence, *, agree: bool) -> Confidence:
        """The probability that every word of the chosen text is right."""


@dataclass(frozen=True, slots=True)
class TwoPassPolicy:
    """When it is worth it."""

    sure: Confidence = Confidence(0.9)
    """A first pass at least this sure stands alone."""

    second_takes: Seconds = Seconds(0.6)
    """How long the second recogniser needs for a turn; with less time left it is not asked."""

    surer_by: float = 0.0
    """How much surer the first must be to stand against other words of the second."""

    words_apart: int = 3
    """The second text may have half to twice as many words as the first, and this many more or fewer."""


def wants_second(first: Transcript, time_left: Seconds, policy: TwoPassPolicy) -> bool:
    """Whether the second recogniser should hear this turn."""
    unsure = first.confidence is None or first.confidence < policy.sure
    return unsure and time_left >= policy.second_takes


def choose(
    first: Transcript, second: Transcript, duration: Seconds, policy: TwoPassPolicy, agreement: Agreement | None = None
) -> Transcript:
    """The transcript to believe, of a turn that lasts ``duration``."""
    if not credible(first, second, duration, policy):
        return first
    agree = _same(first, second)
    chosen, other = (first, second) if agree or _surer(first, second, policy.surer_by) else (second, first)
    return replace(
        chosen,
        confidence=_together(chosen, other, agree, agreement),
        alternatives=_others(chosen, other),
    )


def credible(first: Transcript, second: Transcript, duration: Seconds, policy: TwoPassPolicy) -> bool:
    """Whether the second text can have been said at all, and of the length that the first pass heard."""
    if not second or distrust(second.text, duration, second.language):
        return False
    heard, claimed = len(first.words), len(second.words)
    return not heard or heard / 2 - policy.words_apart <= claimed <= heard * 2 + policy.words_apart


def _same(first: Transcript, second: Transcript) -> bool:
    return normalise(first.text, first.language) == normalise(second.text, second.language)


def _surer(first: Transcript, second: Transcript, by: float) -> bool:
    """Whether the first is the surer one by more than that; the second, the larger model, wins where that is not known."""
    if not first or first.confidence is None or second.confidence is None:
        return False
    return first.confidence > second.confidence + by


def _together(chosen: Transcript, other: Transcript, agree: bool, agreement: Agreement | None) -> Confidence | None:
    if chosen.confidence is None or other.confidence is None or agreement is None:
        return chosen.confidence
    return agreement.turn(chosen.confidence, other.confidence, agree=agree)


def _others(chosen: Transcript, other: Transcript) -> tuple[str, ...]:
    """Every other reading once, likeliest first; what differs in case or punctuation alone is no other reading."""
    in_turn = chain.from_iterable(zip_longest(chosen.alternatives, other.alternatives, fillvalue=""))
    readings: dict[tuple[str, ...], str] = {}
    for text in (chosen.text, other.text, *in_turn):
        readings.setdefault(tuple(normalise(text, chosen.language)), text)
    return tuple(text for words, text in readings.items() if words)[1:]
