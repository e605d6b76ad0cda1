"""``callwright qa report``: what was found, as one page that needs nothing but itself."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.access.deeds import Deed
from engine.cli.kept import keep
from engine.cli.output import console, progress
from engine.cli.qa.selecting import Card, Since, Team, Until, Zone, selection, zone_of
from engine.cli.qa.shared import DEFAULT, ConfigFile, database, settings
from engine.core.units import Language
from engine.qa.report.tally import Step
from engine.store.keys import keys_of

_MB = 1_000_000


class Spoken(StrEnum):
    """The page's languages."""

    EN = "en"
    RU = "ru"
    ZH = "zh"


def report(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
    *,
    since: Since = None,
    until: Until = None,
    card: Card = None,
    team: Team = None,
    zone: Zone = "UTC",
    language: Annotated[Spoken, typer.Option(help="What the page is written in.")] = Spoken.EN,
    by: Annotated[Step | None, typer.Option(help="One point of a trend; by default days for a month, else weeks.")] = None,
    worst: Annotated[int, typer.Option(min=0, max=1000, help="How many calls to show with their evidence.")] = 20,
    least: Annotated[int, typer.Option(min=1, help="Agents with fewer calls are not ranked.")] = 30,
    sound: Annotated[float, typer.Option(min=0, max=500, help="MB of sound within the page; more lies beside it.")] = 20.0,
    config: ConfigFile = DEFAULT,
) -> None:
    """Write the quality report: one HTML file with trends, agents, questions, and the worst calls to read and hear."""
    from engine.qa.report.wording import Wording  # noqa: PLC0415  --help is quick
    from engine.runtime.quality.report import Wanted, write  # noqa: PLC0415

    known = settings(config)
    days = zone_of(zone)
    chosen = selection(since, until, card, team, days)
    wanted = Wanted(chosen, days, by, worst, least, round(sound * _MB))
    engine = database(known)
    keep(known, engine, Deed.EXPORTED, "report", to=str(out), card=card, team=team, sound_of_worst=worst)
    with progress.status("counting calls, packing sound"):
        words, keys = Wording(Language(language.value)), keys_of(known.store.key_file)
        written = write(engine, wanted, known.qa.folder, out, words, keys)
    found = written.findings
    console.print(f"{out}: {out.stat().st_size / _MB:.1f} MB", markup=False)
    console.print(
        f"  {found.standing.seen} calls seen, {found.whole.calls} scores, sound of {written.within} calls", markup=False
    )
    if card is not None and not found.whole.calls:
        console.print(f"  no call of these was scored by a card called {card}", markup=False)
    if written.beside:
        console.print(f"  sound of {written.beside} more in {out.stem}-sound/: keep it beside the page", markup=False)
