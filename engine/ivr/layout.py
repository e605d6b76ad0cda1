"""Where the nodes of a flow stand in a drawing: columns by distance from the start, rows by who leads to whom.

A drawing with a line for every way is unreadable: thirty answers that all lead on to "anything else?" are thirty lines. So a
line is drawn only to the next column, and only where it is the way that first led there; every other way is a tag at its node's
foot: ``↪ anything_else``. What remains is a tree, which is laid out without crossings (after Reingold and Tilford, 1981, with
the simplification that a parent stands in the middle of its children).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.dialogue.graph import Ask, Flow, Keypad, Menu, Node, NodeId, Say, Service, Transfer


@dataclass(frozen=True, slots=True)
class Step:
    """One way from a node to another."""

    source: NodeId
    target: NodeId
    label: str = ""
    """The key or the outcome that takes it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a node stands."""

    column: int
    row: float
    """In rows of one node each; a parent may stand between two."""


@dataclass(slots=True)
class Layout:
    """A whole drawing."""

    spots: dict[NodeId, Spot] = field(default_factory=dict)
    lines: list[Step] = field(default_factory=list)
    """Ways that are drawn."""
    tags: dict[NodeId, list[Step]] = field(default_factory=dict)
    """Ways that are written at the foot of their node."""


def steps_of(node: Node) -> Iterator[Step]:
    """Every way out of a node, in its own order."""
    match node:
        case Menu():
            yield from (Step(node.id, choice.target, choice.key or "") for choice in node.choices)
        case Say() | Ask():
            yield Step(node.id, node.then)
        case Keypad():
            yield Step(node.id, node.then)
            if node.otherwise:
                yield Step(node.id, node.otherwise, "otherwise")
        case Service():
            yield from (Step(node.id, target, outcome) for outcome, target in node.outcomes.items())
            yield from _when_failed(node)
        case Transfer():
            yield from _when_failed(node)


def _when_failed(node: Service | Transfer) -> Iterator[Step]:
    if node.failed:
        yield Step(node.id, node.failed, "failed")


def lay_out(flow: Flow) -> Layout:
    """Place every node of a flow. Nodes that only a spoken wish, or the need to verify, leads to begin trees of their own."""
    layout = Layout()
    children = _first_ways(flow, layout)
    row = 0.0
    for root in [node for node in flow.nodes if node not in {line.target for line in layout.lines}]:
        row = _place(root, children, layout, Spot(0, row)) + (0.5 if children.get(root) else 0)
    return layout


def _first_ways(flow: Flow, layout: Layout) -> Mapping[NodeId, Sequence[NodeId]]:
    """The tree of the ways that first led to each node, breadth first; the other ways become tags."""
    hubs = _hubs(flow)
    children: dict[NodeId, list[NodeId]] = {}
    seen: set[NodeId] = set()
    for root in _roots(flow):
        waiting = deque([] if root in seen else [root])
        seen.add(root)
        while waiting:
            node = waiting.popleft()
            for step in steps_of(flow.nodes[node]):
                if step.target in seen or step.target in hubs:
                    layout.tags.setdefault(node, []).append(step)
                else:
                    seen.add(step.target)
                    waiting.append(step.target)
                    children.setdefault(node, []).append(step.target)
                    layout.lines.append(step)
    return children


def _roots(flow: Flow) -> Sequence[NodeId]:
    verify = (flow.verify,) if flow.verify else ()
    return [flow.start, *verify, *_hubs(flow), *flow.nodes]


def _hubs(flow: Flow) -> Sequence[NodeId]:
    """Nodes that so many lead to that the lines would hide everything else; the operator is one always."""
    leads_in: dict[NodeId, set[NodeId]] = {node: set() for node in flow.nodes}
    for node in flow.nodes.values():
        for step in steps_of(node):
            leads_in[step.target].add(node.id)
    many = [node for node, sources in leads_in.items() if len(sources) > _MOST_LINES_IN and node not in {flow.start, flow.verify}]
    return [*dict.fromkeys([*many, flow.operator])]


_MOST_LINES_IN = 4


def _place(node: NodeId, children: Mapping[NodeId, Sequence[NodeId]], layout: Layout, at: Spot) -> float:
    """Place a tree whose first row is ``at.row``; return the first free row below it."""
    below = children.get(node, ())
    row = at.row
    for child in below:
        row = _place(child, children, layout, Spot(at.column + 1, row))
    middle = (layout.spots[below[0]].row + layout.spots[below[-1]].row) / 2 if below else at.row
    layout.spots[node] = Spot(at.column, middle)
    return row if below else at.row + 1
