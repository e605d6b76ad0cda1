"""``callwright campaign pause``."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.campaign.shared import DEFAULT, AsJson, ConfigFile, Name, tell
from engine.outbound.campaign import Order


def pause(
    name: Name,
    reason: Annotated[str | None, typer.Option(help="Why; people see it in the status.")] = None,
    *,
    json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Begin no more calls; those that go on come to their end."""
    tell(name, Order.PAUSE, config, reason=reason, json=json)
