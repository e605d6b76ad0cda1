"""``callwright qa export``: scores as tables or documents, for the bank's own evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.access.deeds import Deed
from engine.cli.kept import keep
from engine.cli.output import console
from engine.cli.qa.selecting import Card, Since, Team, Until, Zone, selection, zone_of
from engine.cli.qa.shared import DEFAULT, ConfigFile, database, settings
from engine.runtime.quality.export import Format
from engine.runtime.quality.export import export as write


def export(
    format: Annotated[Format, typer.Option(help="What to write.")],
    out: Annotated[Path, typer.Option(help="The file; for csv and parquet, the folder.")],
    *,
    since: Since = None,
    until: Until = None,
    card: Card = None,
    team: Team = None,
    zone: Zone = "UTC",
    config: ConfigFile = DEFAULT,
) -> None:
    """Write calls, scores, verdicts and evidence as xlsx, csv, parquet, json or jsonl."""
    chosen = selection(since, until, card, team, zone_of(zone))
    known = settings(config)
    engine = database(known)
    keep(known, engine, Deed.EXPORTED, "scores", format=str(format), to=str(out), card=card, team=team)
    counts = write(engine, chosen, format, out)
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    console.print(f"{out}: {told}", markup=False)
