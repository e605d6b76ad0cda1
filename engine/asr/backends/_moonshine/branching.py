"""Other readings of an unsure text: where the decoder hesitated, its second choice is followed to the end.

Cheaper than a beam, and only made where it is needed: the branches of a text are decoded in step. Texts that differ in case or
punctuation alone are one reading, and their probabilities are added. The likeliest reading is often not the greedy one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.asr.backends._moonshine.network import Row
from engine.asr.backends._moonshine.steering import Freely

MOST_BRANCHES = 5  # of one text
CLOSE = 5.0  # log-probability by which a second choice may be behind, and still be worth following
_SMALLEST = -1e9


@dataclass(frozen=True, slots=True)
class Choice:
    """One reading, in all its spellings."""

    row: Row
    """Its likeliest spelling."""

    logprob: float
    """Natural, of all its spellings together."""


def branches(greedy: Row) -> list[Row]:
    """The texts to be decoded beside a greedy one, which is done."""
    hesitations = sorted((chosen.behind, place) for place, chosen in enumerate(greedy.chosen) if chosen.behind < CLOSE)
    return [_branch(greedy, place) for _, place in hesitations[:MOST_BRANCHES]]


def ranked(rows: Sequence[Row], bare: Callable[[Row], str]) -> list[Choice]:
    """The readings that ``rows`` are spellings of, likeliest first; ``bare`` gives a row's words alone."""
    spellings: dict[str, list[Row]] = {}
    for row in rows:
        spellings.setdefault(bare(row), []).append(row)
    together = [Choice(max(alike, key=lambda row: row.sum_logprob), _together(alike)) for alike in spellings.values()]
    return sorted(together, key=lambda choice: -choice.logprob)


def rival(choices: Sequence[Choice]) -> float:
    """How far the second reading is behind (natural log-probability), at most ``CLOSE``."""
    return min(CLOSE, choices[0].logprob - choices[1].logprob) if len(choices) > 1 else CLOSE


def _branch(greedy: Row, place: int) -> Row:
    second = greedy.chosen[place].second
    beginning = (*(chosen.token for chosen in greedy.chosen[:place]), *(() if second is None else (second,)))
    return Row(greedy.sound, Freely(beginning), greedy.longest)


def _together(alike: Sequence[Row]) -> float:
    different = {row.tokens: row.sum_logprob for row in alike}
    top = max(different.values(), default=_SMALLEST)
    return top + math.log(sum(math.exp(logprob - top) for logprob in different.values()))
