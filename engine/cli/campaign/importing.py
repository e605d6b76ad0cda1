"""``callwright campaign import``: a list of people, checked row by row and taken whole."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.access.deeds import Deed
from engine.cli.campaign.shared import DEFAULT, ConfigFile, load_campaign, opened, say
from engine.cli.kept import keep
from engine.cli.output import say_json
from engine.cli.qa.shared import settings
from engine.outbound.list_rows import Checked, check_list
from engine.outbound.list_text import ENCODINGS
from engine.runtime.outbound.importing import import_list, read, write_report
from engine.store.audit import Fact
from engine.store.campaigns import Campaigns

app = typer.Typer(add_completion=False)


@app.command("import")
def import_(
    campaign: Annotated[Path, typer.Argument(help="The campaign file; a new name makes a draft.")],
    contacts: Annotated[Path, typer.Argument(help="The list, CSV or .xlsx.")],
    *,
    report: Annotated[Path | None, typer.Option(help="Where the refused rows go; by default beside the list.")] = None,
    encoding: Annotated[str | None, typer.Option(help=f"Of a CSV whose letters can't be told: {', '.join(ENCODINGS)}.")] = None,
    most_refused: Annotated[float, typer.Option(help="The share of rows above which nothing is imported.", min=0, max=1)] = 1.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and report; import nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Check a list's rows, report those that are refused, and add the others to the campaign, all at once."""
    policy, text = load_campaign(campaign)
    where = report or contacts.with_name(f"{contacts.stem}.refused.csv")
    begun = time.monotonic()
    if dry_run:
        checked, taken = check_list(read(contacts), contacts.name, policy, (), encoding), 0
        write_report(checked, where)
    else:
        engine = opened(config)
        kept = Campaigns(engine).put(policy, text, str(campaign.resolve().parent), datetime.now(UTC))
        found = import_list(engine, kept, contacts, where, encoding=encoding, most_refused=most_refused)
        checked, taken = found.checked, found.taken
        told: dict[str, Fact] = {"list": contacts.name, "rows": checked.rows, "refused": checked.refused}
        keep(settings(config), engine, Deed.CHANGED, f"campaign {policy.name}", imported=taken, file=policy.revision, **told)
    came = _as_json(policy.name, checked, taken, where, time.monotonic() - begun)
    if json:
        say_json(came)
    else:
        _print(came)


def _as_json(name: str, checked: Checked, taken: int, report: Path, seconds: float) -> dict[str, Any]:
    return {
        "campaign": name,
        "rows": checked.rows,
        "good": len(checked.contacts),
        "taken": taken,
        "refused": checked.refused,
        "report": str(report),
        "ignored_columns": list(checked.ignored),
        "seconds": round(seconds, 1),
    }


def _print(told: dict[str, Any]) -> None:
    say(f"{told['rows']} rows in {told['seconds']} s: {told['good']} good, {told['refused']} refused; {told['taken']} taken")
    if told["refused"]:
        say(f"what is wrong with the refused ones: {told['report']}")
    if told["ignored_columns"]:
        say(f"columns that the campaign does not know: {', '.join(told['ignored_columns'])}")
