"""Whether every way leads somewhere, every node can be reached, and every caller gets out again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from engine.ivr.draft import Draft, Way
from engine.ivr.problems import Problem, did_you_mean
from engine.ivr.schema import EndPart, SayPart, ServicePart, TransferPart
from engine.written.yaml_tree import Path


def missing_targets(draft: Draft) -> Iterator[Problem]:
    """Names of nodes that are not there."""
    named: list[tuple[Path, str | None]] = [
        ((key,), getattr(draft.part, key)) for key in ("start", "operator", "verify", "right_party")
    ]
    named += [(way.path, way.target) for node in draft.nodes for way in draft.ways(node)]
    for path, target in named:
        if target is not None and target not in draft.nodes:
            yield draft.problem(path, "the name of a node", repr(target), did_you_mean(target, draft.nodes))


def operator_hands_over(draft: Draft) -> Iterator[Problem]:
    """The last rung of the ladder must be people."""
    node = draft.nodes.get(draft.part.operator)
    if node is not None and not isinstance(node, TransferPart):
        yield draft.problem(("operator",), "a node of type transfer", f"{draft.part.operator!r} of type {node.type}")


def unreachable_nodes(draft: Draft) -> Iterator[Problem]:
    """Nodes that no way and no word leads to."""
    named = (draft.part.start, draft.part.operator, draft.part.verify, draft.part.right_party)
    entries = {*filter(None, named), *draft.intents().values()}
    reached = reachable(entries & draft.nodes.keys(), lambda node: _onward(draft, node))
    for node in draft.nodes.keys() - reached:
        hint = "give it a title, so that callers can say it, or let another node lead to it"
        yield draft.problem(("nodes", node), "a way that leads here", "none", hint)


def no_way_to_an_end(draft: Draft) -> Iterator[Problem]:
    """Nodes from which neither an end nor a transfer can be reached."""
    leads_in: dict[str, list[str]] = {node: [] for node in draft.nodes}
    for node in draft.nodes:
        for target in _onward(draft, node):
            leads_in[target].append(node)
    finished = [node for node in draft.nodes if _finishes(draft, node)]
    for node in draft.nodes.keys() - reachable(finished, leads_in.__getitem__):
        yield draft.problem(("nodes", node), "a way on to a node of type end or transfer", "none")


def endless_talk(draft: Draft) -> Iterator[Problem]:
    """Rings of says and services: the engine would go round in them without ever listening."""
    silent = {name for name, node in draft.nodes.items() if isinstance(node, SayPart | ServicePart)}
    onward: Mapping[str, list[str]] = {node: [it for it in _onward(draft, node) if it in silent] for node in silent}
    after = {node: reachable(onward[node], onward.__getitem__) for node in silent}
    told: set[str] = set()
    for node in draft.nodes:
        if node in silent - told and node in after[node]:
            ring = [node, *(it for it in draft.nodes if it in after[node] and it != node and node in after[it])]
            told.update(ring)
            yield draft.problem(
                ("nodes", node), "a node that listens on the way round", f"only says and services: {', '.join(ring)}"
            )


def services_answer_ok(draft: Draft) -> Iterator[Problem]:
    """A service says where to go when all is well."""
    for name, node in draft.nodes.items():
        if isinstance(node, ServicePart) and "ok" not in node.outcomes:
            found = ", ".join(node.outcomes) or "no outcome"
            yield draft.problem(("nodes", name, "outcomes"), "an outcome called ok", found, did_you_mean("ok", node.outcomes))


def reachable(entries: Iterable[str], onward: Callable[[str], Iterable[str]]) -> set[str]:
    """``entries`` and everything that can be reached from them."""
    waiting = list(entries)
    reached: set[str] = set()
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting.extend(onward(node))
    return reached


def existing_ways(draft: Draft, node: str) -> Iterator[Way]:
    """The ways out of ``node`` whose targets are there."""
    return (way for way in draft.ways(node) if way.target in draft.nodes)


def _onward(draft: Draft, node: str) -> list[str]:
    return [way.target for way in existing_ways(draft, node)]


def _finishes(draft: Draft, node: str) -> bool:
    """A missing target is told as such, and not as a missing end as well."""
    missing = any(way.target not in draft.nodes for way in draft.ways(node))
    return missing or isinstance(draft.nodes[node], EndPart | TransferPart)
