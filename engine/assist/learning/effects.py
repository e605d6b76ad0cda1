"""What corrections, and the flow's own examples, come to in one way and in another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from engine.assist.learning.bars import Case, Outcome
from engine.assist.learning.shares import Share, change, share

Examples: TypeAlias = Mapping[str, Sequence[Outcome]]
"""What the flow's own examples come to, by intent."""


@dataclass(frozen=True, slots=True)
class Way:
    """How corrections were taken, and what they came to; at least one."""

    cases: Sequence[Case]
    outcomes: Sequence[Outcome]

    @property
    def groups(self) -> Sequence[int]:
        """Of the cases."""
        return [case.group for case in self.cases]

    @property
    def understood(self) -> list[bool]:
        """Whether the likeliest is right."""
        return [case.right for case in self.cases]

    def came_to(self, one: Outcome) -> list[bool]:
        """Which of them."""
        return [found is one for found in self.outcomes]

    def arm(self) -> Arm:
        """The shares."""
        right, wrong, asked, handed = (
            share(self.came_to(one), self.groups) for one in (Outcome.RIGHT, Outcome.WRONG, Outcome.ASKED, Outcome.HANDED)
        )
        return Arm(share(self.understood, self.groups), right, wrong, asked, handed)


@dataclass(frozen=True, slots=True)
class Arm:
    """Shares of the corrections that are judged."""

    understood: Share
    """The likeliest is what the caller wants."""

    jumped_right: Share
    jumped_wrong: Share
    asked_back: Share
    handed_over: Share


@dataclass(frozen=True, slots=True)
class Change:
    """From one way to another, of the same phrases."""

    understood: Share
    jumped_right: Share
    jumped_wrong: Share
    handed_over: Share

    @classmethod
    def between(cls, now: Way, then: Way) -> Change:
        """Compare, phrase by phrase."""
        right, wrong, handed = (
            change(now.came_to(one), then.came_to(one), now.groups) for one in (Outcome.RIGHT, Outcome.WRONG, Outcome.HANDED)
        )
        return cls(change(now.understood, then.understood, now.groups), right, wrong, handed)


@dataclass(frozen=True, slots=True)
class Effect:
    """On one intent; pairs are of before and after."""

    intent: str

    phrases: int
    """Corrections that are judged."""

    understood: tuple[int, int]
    jumped_wrong: tuple[int, int]

    examples: int
    """The flow's own sentences, each left out in turn."""

    examples_right: tuple[int, int]
    """Of them, those that jump to the right place."""

    examples_wrong: tuple[int, int]
    """And those that jump to a wrong one."""

    @property
    def worse(self) -> bool:
        """Whether anything of it is."""
        fewer, more = (self.understood, self.examples_right), (self.jumped_wrong, self.examples_wrong)
        return any(after < before for before, after in fewer) or any(after > before for before, after in more)


def effects(intents: Sequence[str], ways: tuple[Way, Way], examples: tuple[Examples, Examples]) -> Iterator[Effect]:
    """Go by intent; ``intents`` are those of the corrections."""
    for intent in sorted({*intents, *examples[0]}):
        here = [one == intent for one in intents]
        own = [list(by_intent.get(intent, ())) for by_intent in examples]
        yield Effect(
            intent,
            sum(here),
            _both([_count(way.understood, here) for way in ways]),
            _both([_count(way.came_to(Outcome.WRONG), here) for way in ways]),
            len(own[0]),
            _both([outcomes.count(Outcome.RIGHT) for outcomes in own]),
            _both([outcomes.count(Outcome.WRONG) for outcomes in own]),
        )


def _count(found: Sequence[bool], here: Sequence[bool]) -> int:
    return sum(one and mine for one, mine in zip(found, here, strict=True))


def _both(pair: Sequence[int]) -> tuple[int, int]:
    before, after = pair
    return before, after
