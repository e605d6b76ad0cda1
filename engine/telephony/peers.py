"""Which peers may come in, by their addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from ipaddress import IPv4Network, IPv6Network
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read networks such as ``10.1.0.0/16``."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def admits(peers: Collection[Network], address: str) -> bool:
    """Whether a peer at this address may come in; no networks = any."""
    if not peers:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in peers)
