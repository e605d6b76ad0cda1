"""``callwright campaign stop``."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.campaign.shared import DEFAULT, AsJson, ConfigFile, Name, tell
from engine.outbound.campaign import Order


def stop(
    name: Name,
    reason: Annotated[str | None, typer.Option(help="Why; people see it in the status.")] = None,
    *,
    json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """End a campaign for good: whoever waits is not called any more."""
    tell(name, Order.STOP, config, reason=reason, json=json)
