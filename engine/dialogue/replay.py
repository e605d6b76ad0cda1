"""A call again, from its journal: the same events at the same times, through the same flow or another.

Through the same flow the actions are the same, byte for byte; that is how a journal proves itself. Through another flow, or other
thresholds, the first difference is the finding: what was recorded after it answers questions that were not asked this time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeAlias

from engine.core.errors import ProtocolError
from engine.core.units import Language, Seconds
from engine.dialogue.actions import Action
from engine.dialogue.codec import to_json
from engine.dialogue.events import Event, Tick
from engine.dialogue.graph import Flow
from engine.dialogue.machine import Dialogue

Reaction: TypeAlias = tuple[Seconds, tuple[Action, ...]]
"""When something happened, and what was done about it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two runs of one call part."""

    step: int
    """Counted from 0."""

    at: Seconds

    one: tuple[Action, ...] | None
    """What the one did; ``None`` where it had ended before."""

    other: tuple[Action, ...] | None


def replay(
    flow: Flow, steps: Iterable[tuple[Seconds, Event | Tick]], *, language: Language | None = None, agents: bool = False
) -> list[Reaction]:
    """Feed ``steps`` to a new dialogue; return what it does at each.

    Where an event can't have happened in this flow (a prompt ends that it never began), the list ends before that step.
    """
    dialogue = Dialogue(flow, language=language, agents=agents)
    reactions: list[Reaction] = []
    for now, event in steps:
        try:
            done = dialogue.tick(now) if isinstance(event, Tick) else dialogue.receive(event, now)
        except ProtocolError:
            break
        reactions.append((now, done))
    return reactions


def diff(one: Sequence[Reaction], other: Sequence[Reaction]) -> Difference | None:
    """Find the first step at which two runs differ in a byte; ``None`` where they are the same."""
    for step, (left, right) in enumerate(zip_longest(one, other)):
        if left is None or right is None or left[0] != right[0] or to_json(left[1]) != to_json(right[1]):
            at = (left or right)[0]
            return Difference(step, at, left[1] if left else None, right[1] if right else None)
    return None
