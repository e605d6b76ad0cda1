"""The escalation ladder, as pure arithmetic: what was understood in, the rung to take out.

Per question and with the thresholds of the likeliest meaning:

1. **jump** when it is at least ``accept`` likely and the second is ``margin`` behind;
2. **choose** when the two likeliest are closer than that, and one of them is it with at least ``accept``;
3. **confirm** when the likeliest is at least ``confirm`` likely;
4. **agent** when it is not; where there is no agent the caller of :func:`decide` goes on to the next rung.

What is surely out of scope is no business of an agent's: **no match**. Several intents that lead to one node are one meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from engine.core.units import Confidence
from engine.dialogue.actions import Rung
from engine.dialogue.graph import Ask, Flow, Global, Keypad, Menu, Node, NodeId, Thresholds
from engine.nlu.interpretation import Interpretation

_ASKING_FOR_A_VALUE = (Ask, Keypad)
_DECIMALS = 6  # 0.9 - 0.7 must be a margin of 0.2

Target: TypeAlias = NodeId | Global
"""A node, or one of the globals that aren't places: help, repeat, back."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing the caller may want, and where it leads."""

    intent: str

    target: Target

    confidence: Confidence | None
    """``None`` where a person decided."""

    @property
    def node(self) -> NodeId | None:
        """The node it leads to, if it is a place."""
        return None if isinstance(self.target, Global) else self.target

    @property
    def likelihood(self) -> float:
        """For comparing: what a person decided is certain."""
        return 1.0 if self.confidence is None else self.confidence


@dataclass(frozen=True, slots=True)
class Decision:
    """A rung, with what it is about."""

    rung: Rung

    reason: str

    first: Option | None = None

    second: Option | None = None
    """The other choice, with ``CHOOSE``."""


def decide(options: Sequence[Option], out_of_scope: Confidence | None, limits: Thresholds) -> Decision:
    """Take a rung for ``options``, likeliest first, each with another target."""
    if out_of_scope is not None and out_of_scope >= limits.accept:
        return Decision(Rung.NO_MATCH, "out of scope")
    if not options:
        return Decision(Rung.AGENT, "no meaning found")
    first, second = options[0], options[1] if len(options) > 1 else None
    if second is not None and _is_a_toss_up(first, second, limits):
        return Decision(Rung.CHOOSE, "second choice too close", first, second)
    if first.likelihood >= _bar(first, limits):
        return Decision(Rung.JUMP, "sure", first)
    if first.likelihood >= limits.confirm:
        return Decision(Rung.CONFIRM, "below accept", first)
    return Decision(Rung.AGENT, "below confirm", first)


def decide_value(confidence: Confidence | None, read_back: bool | None, limits: Thresholds) -> Decision:
    """Take a rung for a value that fits its question; ``confidence`` is that of its words, ``read_back`` the node's rule."""
    if confidence is not None and confidence < limits.confirm:
        return Decision(Rung.AGENT, "below confirm")
    if read_back is True:
        return Decision(Rung.CONFIRM, "always read back")
    if read_back is False:
        return Decision(Rung.JUMP, "never read back")
    if confidence is None or confidence < limits.accept:
        return Decision(Rung.CONFIRM, "confidence unknown" if confidence is None else "below accept")
    return Decision(Rung.JUMP, "sure")


def ranked(flow: Flow, node: Node, heard: Interpretation, refused: frozenset[str] = frozenset()) -> tuple[Option, ...]:
    """List what ``heard`` may mean on ``node``, likeliest first, one option a target, without what the caller has refused."""
    found: dict[Target, Option] = {}
    for candidate in sorted(heard.candidates, key=lambda candidate: -candidate.confidence):
        target = target_of(flow, node, candidate.intent)
        if target is not None and candidate.intent not in refused:
            found.setdefault(target, Option(candidate.intent, target, candidate.confidence))
    return tuple(found.values())


def target_of(flow: Flow, node: Node, intent: str) -> Target | None:
    """Find where ``intent`` leads from ``node``; ``None`` where it is no answer there."""
    if intent in (choices := _choices(flow, node)):
        return choices[intent]
    target = anywhere(flow, intent)
    if target is not None and (understands_all(node) or flow.nodes[target].everywhere):
        return target
    return _global(flow, intent)


def anywhere(flow: Flow, intent: str) -> NodeId | None:
    """Find the node that ``intent`` names in the whole flow."""
    node = flow.intents.get(intent)
    return NodeId(intent) if node is None and intent in flow.nodes else node


def understands_all(node: Node) -> bool:
    """Whether any intent of the flow counts on ``node``: on an open menu, and while something is only being said."""
    return node.open if isinstance(node, Menu) else not isinstance(node, _ASKING_FOR_A_VALUE)


def allowed_intents(flow: Flow, node: Node) -> tuple[str, ...]:
    """List the intents that count on ``node``, each once."""
    named = [choice.intent or own_intents(flow, choice.target)[0] for choice in node.choices] if isinstance(node, Menu) else []
    return tuple(dict.fromkeys([*named, *(flow.intents if understands_all(node) else ()), *said_anywhere(flow)]))


def said_anywhere(flow: Flow) -> tuple[str, ...]:
    """List the intents that count at every question: those of the nodes that say so, and the globals."""
    return (*(intent for intent, node in flow.intents.items() if flow.nodes[node].everywhere), *map(str, Global))


def limits_for(flow: Flow, option: Option | None) -> Thresholds:
    """The thresholds for ``option``: its intent's, else its node's, else the flow's."""
    if option is None:
        return flow.thresholds
    if option.intent in flow.intent_thresholds:
        return flow.intent_thresholds[option.intent]
    node = flow.nodes.get(option.node) if option.node is not None else None
    return flow.thresholds if node is None or node.thresholds is None else node.thresholds


def _is_a_toss_up(first: Option, second: Option, limits: Thresholds) -> bool:
    gap = round(first.likelihood - second.likelihood, _DECIMALS)
    together = round(first.likelihood + second.likelihood, _DECIMALS)
    places = first.node is not None and second.node is not None
    return places and gap < limits.margin and max(first.likelihood, together) >= limits.accept  # the sum was rounded


def _bar(option: Option, limits: Thresholds) -> Confidence:
    return limits.confirm if option.node is None else limits.accept  # help, repeat and back do no harm


def _choices(flow: Flow, node: Node) -> Mapping[str, NodeId]:
    if not isinstance(node, Menu):
        return {}
    found: dict[str, NodeId] = {}
    for choice in node.choices:
        for intent in [choice.intent] if choice.intent is not None else own_intents(flow, choice.target):
            found.setdefault(intent, choice.target)
    return found


def own_intents(flow: Flow, target: NodeId) -> tuple[str, ...]:
    """The intents that lead to ``target`` from anywhere, and its id, which names it too."""
    return (*(intent for intent, node in flow.intents.items() if node == target), target)


def _global(flow: Flow, intent: str) -> Target | None:
    match intent:
        case Global.OPERATOR:
            return flow.operator
        case Global.MAIN_MENU:
            return flow.start
    return Global(intent) if intent in set(Global) else None
