"""``callwright campaign uncertain``: attempts of which nobody knows whether they were dialled."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from engine.access.deeds import Deed
from engine.cli.campaign.shared import DEFAULT, ConfigFile, opened, say
from engine.cli.kept import keep, shell
from engine.cli.output import say_json
from engine.cli.qa.shared import settings
from engine.outbound.contacts import AttemptId
from engine.store.campaigns import Campaigns
from engine.store.uncertain import Uncertain, settle
from engine.store.uncertain import uncertain as listed


def uncertain(
    name: Annotated[str | None, typer.Argument(help="The campaign's name; by default all of them.")] = None,
    *,
    settle_attempt: Annotated[str | None, typer.Option("--settle", help="The attempt that somebody has looked at.")] = None,
    note: Annotated[str, typer.Option(help="What they found; it stays with the contact.")] = "looked at by hand",
    json: Annotated[bool, typer.Option("--json", help="One JSON object an attempt.")] = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """List them for a person to look at; they are never dialled again by themselves."""
    engine = opened(config)
    if settle_attempt is not None:
        _settle(engine, config, AttemptId(settle_attempt), note)
        return
    for it in listed(engine, None if name is None else Campaigns(engine).named(name).id):
        if json:
            say_json(_as_json(it))
        else:
            say(f"{it.attempt}  {it.number}  dialled {_moment(it.dialled_at)}  call {it.call or '–'}  {it.reason or ''}")


def _settle(engine: Engine, config: Path, attempt: AttemptId, note: str) -> None:
    """Settle one, and keep who did, and what they found."""
    found = next((it for it in listed(engine) if it.attempt == attempt), None)
    if found is None or not settle(engine, attempt, f"{shell().who}: {note}", datetime.now(UTC)):
        raise typer.BadParameter(f"--settle: expected an uncertain attempt, found {attempt!r}")
    kept = Campaigns(engine).of(found.campaign)
    campaign = kept.name if kept else found.campaign
    keep(settings(config), engine, Deed.CHANGED, f"campaign {campaign}", settled=attempt, note=note)
    say(f"{attempt}: settled")


def _as_json(it: Uncertain) -> dict[str, str | None]:
    return {
        "attempt": it.attempt,
        "contact": it.contact,
        "campaign": it.campaign,
        "number": it.number,
        "dialled_at": None if it.dialled_at is None else it.dialled_at.isoformat(),
        "call": it.call,
        "reason": it.reason,
    }


def _moment(at: datetime | None) -> str:
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"
