"""Which wordings are near-doubles, so that none stands on both sides of a split.

Twice the same sentence, said in another voice or heard a little otherwise, must not be learned on one side and judged on the
other: accuracy would be that of remembering. What is near something near belongs together, too.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from engine.nlu.encoder import Encoder
from engine.nlu.likeness import Likeness

NEAR = 0.55
"""Likeness from which on two wordings count as one. Of the 240 spoken queries of our set as they were heard (synthetic, half of
them noisy) it joins 56 % of the pairs of one sentence, and 0.01 % of the pairs of two; the pairs it misses were heard too
differently to teach each other much."""


class Bundles:
    """Places, some of which belong together (union by root)."""

    def __init__(self, size: int) -> None:
        self._root = list(range(size))

    def join(self, one: int, other: int) -> None:
        """Let two places, and all that belongs to them, belong together."""
        first, second = sorted((self._find(one), self._find(other)))
        self._root[second] = first

    def join_equal(self, names: Iterable[Hashable]) -> None:
        """Let places of the same name belong together."""
        first: dict[Hashable, int] = {}
        for place, name in enumerate(names):
            self.join(first.setdefault(name, place), place)

    def roots(self) -> tuple[int, ...]:
        """The first place of each place's bundle."""
        return tuple(self._find(place) for place in range(len(self._root)))

    def _find(self, place: int) -> int:
        while self._root[place] != place:
            self._root[place] = self._root[self._root[place]]
            place = self._root[place]
        return place


def groups(wordings: Sequence[str], encoder: Encoder, *also: Sequence[Hashable]) -> tuple[int, ...]:
    """Number the group of each wording: near-doubles share one, and so does what shares a name in one of ``also``."""
    bundles = Bundles(len(wordings))
    for names in (wordings, *also):
        bundles.join_equal(names)
    distinct = {wording: place for place, wording in reversed(list(enumerate(wordings)))}
    texts = list(distinct)
    if texts:
        near = Likeness(texts, encoder).among_known() >= NEAR
        for one, other in zip(*np.nonzero(np.triu(near, 1)), strict=True):
            bundles.join(distinct[texts[int(one)]], distinct[texts[int(other)]])
    return bundles.roots()


def folds(group: Sequence[int], most: int) -> tuple[int, ...]:
    """Deal whole groups to ``most`` folds, the largest first, each to the fold that holds least. The same every time."""
    sizes: dict[int, int] = {}
    for one in group:
        sizes[one] = sizes.get(one, 0) + 1
    held = [0] * most
    fold: dict[int, int] = {}
    for one in sorted(sizes, key=lambda one: (-sizes[one], one)):
        fold[one] = min(range(most), key=lambda place: (held[place], place))
        held[fold[one]] += sizes[one]
    return tuple(fold[one] for one in group)
