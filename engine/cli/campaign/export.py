"""``callwright campaign export``: what a campaign came to, for the bank's own evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.access.deeds import Deed
from engine.cli.campaign.shared import DEFAULT, ConfigFile, Name, opened, say
from engine.cli.kept import keep
from engine.cli.qa.shared import settings
from engine.runtime.outbound.exporting import CampaignFormat
from engine.runtime.outbound.exporting import export as write
from engine.store.campaigns import Campaigns


def export(
    name: Name,
    format: Annotated[CampaignFormat, typer.Option(help="What to write.")],
    out: Annotated[Path, typer.Option(help="The file; for csv, the folder.")],
    *,
    config: ConfigFile = DEFAULT,
) -> None:
    """Write every contact with its outcome, and every attempt, as xlsx, csv or json."""
    engine = opened(config)
    kept = Campaigns(engine).named(name)
    keep(settings(config), engine, Deed.EXPORTED, f"campaign {kept.name}", format=str(format), to=str(out))
    counts = write(engine, kept.id, kept.policy, format, out)
    say(f"{out}: " + ", ".join(f"{count} {table}" for table, count in counts.items()))
