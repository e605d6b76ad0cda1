"""Which words of a card each word that is heard can stand for.

A card has some hundred words, calls have thousands and repeat theirs: each is compared with the card's once, however many phrases
and calls it is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.qa.words import OTHER, unlikeness

_MOST_REMEMBERED = 20_000  # words: a year of calls must not fill the memory
_NOTHING: Mapping[str, float] = {}


@dataclass(frozen=True, eq=False)
class Lexicon:
    """A card's words. To be used in one thread at a time."""

    wanted: set[str] = field(default_factory=set)

    _known: dict[str, Mapping[str, float]] = field(default_factory=dict)

    def want(self, words: Iterable[str]) -> None:
        """Take words of a phrase in."""
        self.wanted.update(words)
        self._known.clear()

    def fits(self, heard: str) -> Mapping[str, float]:
        """The card's words that a word can stand for, and how badly (below :data:`engine.qa.words.OTHER`)."""
        known = self._known.get(heard)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            costs = ((word, unlikeness(word, heard)) for word in self.wanted)
            known = self._known[heard] = {word: cost for word, cost in costs if cost < OTHER} or _NOTHING
        return known
