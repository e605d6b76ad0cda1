"""``callwright campaign followups``: what could not be written to people after their call, by any way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from engine.access.deeds import Deed
from engine.cli.campaign.shared import DEFAULT, ConfigFile, opened, say
from engine.cli.kept import keep
from engine.cli.output import say_json
from engine.cli.qa.shared import settings
from engine.store.followups import DeadLetter, FollowUps


def followups(
    *,
    again: Annotated[str | None, typer.Option(help="Let this message be tried again, by its last way.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a message.")] = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """List the dead letters, the oldest first; exit code 1 where there are any."""
    engine = opened(config)
    found = FollowUps(engine, ())
    if again is not None:
        if not found.again(again, datetime.now(UTC)):
            raise typer.BadParameter(f"--again: expected a message that was given up, found {again!r}")
        keep(settings(config), engine, Deed.CHANGED, f"follow-up {again}", again=True)
        say(f"{again}: tried again when callwright serve runs")
        return
    letters = found.dead()
    for it in letters:
        if json:
            say_json(_as_json(it))
        else:
            say(
                f"{it.id}  {it.campaign}  {it.outcome}  contact {it.contact}  since {it.created_at:%Y-%m-%d %H:%M} UTC  {it.told}"
            )
    raise typer.Exit(1 if letters else 0)


def _as_json(it: DeadLetter) -> dict[str, str]:
    return {
        "id": it.id,
        "contact": it.contact,
        "campaign": it.campaign,
        "outcome": it.outcome,
        "told": it.told,
        "created_at": it.created_at.isoformat(),
    }
