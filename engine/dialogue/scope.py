"""What speech alone may do: the bank's operations that a caller can have done whom nobody has verified.

A service that does not require a verified call is open to everybody, whatever leads there: a word, a key, a correction, an agent.
So the list is read off the flow, and a bank that writes down its own (``[flow] speech_alone``) has every flow refused that
goes beyond it.
"""

from __future__ import annotations

from collections.abc import Collection

from engine.core.errors import ConfigError
from engine.dialogue.graph import Flow, Service


def open_operations(flow: Flow) -> frozenset[str]:
    """The operations of the bank's host that need no verified call."""
    services = (node for node in flow.nodes.values() if isinstance(node, Service))
    return frozenset(node.operation for node in services if not node.requires_verified)


def check_scope(flow: Flow, allowed: Collection[str] | None) -> None:
    """Refuse a flow that lets speech alone do more than ``allowed``; ``None`` allows what the flow says.

    Raises:
        ConfigError: it does; the message names what.
    """
    beyond = open_operations(flow) - frozenset(allowed) if allowed is not None else frozenset()
    if beyond:
        raise ConfigError(
            f"flow {flow.name}: expected `requires_verified: true` at every service outside [flow] speech_alone, "
            f"found {', '.join(sorted(beyond))} open to callers whom nobody has verified"
        )
