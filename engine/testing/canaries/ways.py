"""The keys that lead a caller to a flow's secret entries and on to the question to the bank that takes what was keyed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine.core.errors import ConfigError
from engine.dialogue.graph import Ask, Flow, Keypad, Menu, Node, NodeId, Say, Service, SlotName
from engine.testing.canaries.shapes import Canary

_MOST: Final = 19  # digits; ISO/IEC 7812-1: no card has more


@dataclass(frozen=True, slots=True)
class Press:
    """What to press at one question."""

    keys: str = ""

    secret: Keypad | None = None
    """The entry, where what is to be pressed is a number made up for it."""


Way = tuple[Press, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    node: NodeId
    verified: bool
    keyed: frozenset[SlotName]


def way_to_secrets(flow: Flow) -> Way:
    """Find the shortest way by keys to a question that takes secrets, all keyed before it.

    Raises:
        ConfigError: keys alone lead to none.
    """
    first = _Place(_admitted(flow, flow.start, verified=False), verified=False, keyed=frozenset())
    waiting: deque[tuple[_Place, Way]] = deque([(first, ())])
    seen = {first}
    while waiting:
        here, way = waiting.popleft()
        node = flow.nodes[here.node]
        if isinstance(node, Service) and here.keyed and here.keyed & set(node.arguments) == here.keyed:
            return way
        for there, press in _steps(flow, node, here):
            if there not in seen:
                seen.add(there)
                waiting.append((there, way if press is None else (*way, press)))
    raise ConfigError(f"flow {flow.name}: expected a secret entry that keys lead to from {flow.start}, found none")


def canaries_for(flow: Flow, way: Way, *, spoken: bool = False) -> tuple[Canary, ...]:
    """Make a number up for each secret entry of a way. A short one is never what choices of several callers spell by chance."""
    chosen = {choice.key for node in flow.nodes.values() if isinstance(node, Menu) for choice in node.choices if choice.key}
    return tuple(
        Canary.made(
            str(it.secret.slot), min(it.secret.length[1], _MOST), luhn=it.secret.luhn, spoken=spoken, never_of="".join(chosen)
        )
        for it in way
        if it.secret is not None
    )


def _steps(flow: Flow, node: Node, here: _Place) -> Iterator[tuple[_Place, Press | None]]:
    for target, press in _ways_on(node):
        verified = here.verified or (isinstance(node, Service) and node.sets_verified)
        keyed = here.keyed | {node.slot} if isinstance(node, Keypad) and node.secret else here.keyed
        yield _Place(_admitted(flow, target, verified=verified), verified, keyed), press


def _ways_on(node: Node) -> Iterator[tuple[NodeId, Press | None]]:
    match node:
        case Say():
            yield node.then, None
        case Service():
            yield node.outcomes["ok"], None
        case Menu():
            yield from ((choice.target, Press(choice.key)) for choice in node.choices if choice.key)
        case Keypad():
            yield node.then, Press(secret=node) if node.secret else Press(_open(node.length, node.finish_key))
        case Ask() if node.type == "yes_no":
            yield node.then, Press("1")
        case Ask() if node.type == "digits" and not node.read_back and node.equals is None:
            yield node.then, Press(_open(node.length or (1, 4), "#"))


def _open(length: tuple[int, int], finish_key: str) -> str:
    return "1" * length[0] + (finish_key if length[0] < length[1] else "")


def _admitted(flow: Flow, target: NodeId, *, verified: bool) -> NodeId:
    locked = flow.nodes[target].requires_verified and not verified and flow.verify is not None
    return flow.verify if locked and flow.verify is not None else target
