"""``callwright campaign resume``."""

from __future__ import annotations

from engine.cli.campaign.shared import DEFAULT, AsJson, ConfigFile, Name, tell
from engine.outbound.campaign import Order


def resume(name: Name, *, json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Go on calling after a pause."""
    tell(name, Order.RESUME, config, json=json)
