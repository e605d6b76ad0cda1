"""What a key would mean now. The driver asks before it tells: a key that means nothing here may be a digit of a secret.

* A key *counts* when it is a choice of the open question, a yes or no where one is asked for, or a wish that can be keyed.
* A secret entry is *ahead* when nothing more is asked before it, as far as the flow can tell: it is being said, or every
  node on some way from here to it speaks, asks the bank or rings. Then no key counts: it is taken for the entry's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.dialogue.graph import Flow, Keypad, Node, NodeId, Say, Service, Transfer
from engine.dialogue.keying import CONVENTIONS, answers
from engine.dialogue.ladder import target_of
from engine.dialogue.memory import Go, Memory, Then
from engine.dialogue.step import Step

UNTOLD: Final = "•"
"""Stands for a key that meant nothing: the machine and the journal learn that one was pressed, not which."""


def counts(step: Step, key: str) -> bool:
    """Whether ``key`` means something, in a state in which keys are taken at all."""
    if secret_ahead(step.flow, step.memory) or isinstance(step.node, Keypad):
        return False
    if step.memory.pending is None and answers(step, key):
        return True
    return (step.memory.pending is None or step.interrupts) and _leads_elsewhere(step, key)


def secret_ahead(flow: Flow, memory: Memory) -> bool:
    """Whether a secret entry may be the next thing that the caller is asked for, or is being asked for and not open yet."""
    if memory.node is None:
        return False
    here = flow.nodes[memory.node]
    if isinstance(here, Keypad):
        return here.secret
    match memory.pending:
        case Go(node):
            ways = [node]
        case Then.COMMIT | None:
            ways = list(_ways_on(here))
        case _:
            return False
    return _leads_to_secret(flow, ways if memory.goal is None else [*ways, memory.goal])


def _leads_to_secret(flow: Flow, ways: list[NodeId]) -> bool:
    seen: set[NodeId] = set()
    while ways:
        place = ways.pop()
        if place in seen:
            continue
        seen.add(place)
        node = flow.nodes[place]
        if isinstance(node, Keypad) and node.secret:
            return True
        ways += _ways_on(node)
        if node.requires_verified and flow.verify is not None:
            ways.append(flow.verify)
    return False


def _ways_on(node: Node) -> Iterator[NodeId]:
    """Where a node leads without asking the caller anything."""
    match node:
        case Say():
            yield node.then
        case Service():
            yield from node.outcomes.values()
    if isinstance(node, Service | Transfer) and node.failed is not None:
        yield node.failed


def _leads_elsewhere(step: Step, key: str) -> bool:
    if key not in CONVENTIONS:
        return False
    target = target_of(step.flow, step.node, str(CONVENTIONS[key]))
    return target is not None and target != step.memory.node
