"""``callwright campaign start``."""

from __future__ import annotations

from engine.cli.campaign.shared import DEFAULT, AsJson, ConfigFile, Name, tell
from engine.outbound.campaign import Order


def start(name: Name, *, json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Start calling a campaign's people; from the running engine, within its hours."""
    tell(name, Order.START, config, json=json)
