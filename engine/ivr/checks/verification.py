"""Whether nodes that need a verified caller can be reached by one."""

from __future__ import annotations

from collections.abc import Iterator

from engine.ivr.checks.ways import existing_ways, reachable
from engine.ivr.draft import Draft
from engine.ivr.problems import Problem
from engine.ivr.schema import MenuPart, ServicePart


def nothing_verifies(draft: Draft) -> Iterator[Problem]:
    """Nodes behind a door without a key."""
    way_in = draft.part.verify
    if way_in is None:
        for name, node in draft.nodes.items():
            if node.requires_verified:
                yield draft.problem(("nodes", name, "requires_verified"), "`verify: <node>` at the top of the file", "none")
    elif way_in in draft.nodes and not any(verifies(draft, node) for node in _asked_for_verification(draft)):
        hint = "let a service on the way say `sets_verified: true`"
        yield draft.problem(("verify",), "a way to a service that verifies the caller", f"none behind {way_in!r}", hint)


def verifying_needs_verified(draft: Draft) -> Iterator[Problem]:
    """Verification that sends the caller to verification."""
    for node in _asked_for_verification(draft):
        if draft.nodes[node].requires_verified:
            path = ("nodes", node, "requires_verified")
            yield draft.problem(path, "a node that is open to everybody", "one that callers pass on their way to be verified")


def first_node_is_open(draft: Draft) -> Iterator[Problem]:
    """Nobody is turned away from the first node, from people, or from being asked who they are."""
    for key in ("start", "operator", "verify", "right_party"):
        node = getattr(draft.part, key)
        for need in ("requires_verified", "requires_right_party") if node in draft.nodes else ():
            told_already = (key, need) == ("verify", "requires_verified")  # by verifying_needs_verified
            if getattr(draft.nodes[node], need) and not told_already:
                yield draft.problem(("nodes", node, need), "a node that is open to everybody", f"the flow's {key}")


def verifies(draft: Draft, node: str) -> bool:
    """Whether a good answer at ``node`` makes the caller a verified one."""
    part = draft.nodes[node]
    return isinstance(part, ServicePart) and part.sets_verified


def _asked_for_verification(draft: Draft) -> set[str]:
    """The nodes from ``verify`` up to the services that verify: a caller there isn't verified yet."""
    way_in = draft.part.verify
    return reachable([str(way_in)], lambda node: _still_unknown(draft, node)) if way_in in draft.nodes else set()


def _still_unknown(draft: Draft, node: str) -> list[str]:
    """Where an unverified caller goes on to. In a menu they choose anew, so that verification is over."""
    over = verifies(draft, node) or isinstance(draft.nodes[node], MenuPart)
    return [] if over else [way.target for way in existing_ways(draft, node)]
