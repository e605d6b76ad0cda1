"""``callwright qa status``: how every recording stands, and that the account agrees."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.output import console, say_json
from engine.cli.qa.shared import DEFAULT, ConfigFile, database, settings
from engine.core.errors import ConfigError
from engine.runtime.batch.looking import unfamiliar
from engine.runtime.batch.sources import Inbox, Source
from engine.runtime.batch.wiring import cards_of, sources_of
from engine.store.account import Account, account
from engine.store.sightings import Sightings


def status(
    card: Annotated[list[Path] | None, typer.Option(help="A card that is in force, besides the configured ones.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Say how every recording stands, and prove that the account agrees (exit code 1 where it does not)."""
    found = settings(config)
    engine = database(found)
    cards = cards_of(found.qa, card or ())
    drawn = account(engine, cards, found.qa.folder, datetime.now(UTC))
    outside = _outside(sources_of(found, engine), Sightings(engine))
    if json:
        say_json(_as_json(drawn, outside))
    else:
        _print(drawn, outside)
    if drawn.disagreements:
        raise typer.Exit(1)


@dataclass(slots=True)
class _Outside:
    """What the sources hold and the ledger does not know."""

    unseen: int = 0
    """Files that no run has seen as they are now."""

    lonely: int = 0
    """Descriptions without a recording."""

    silent: list[str] = field(default_factory=list)
    """Sources that can't be asked, and why."""


def _outside(sources: Sequence[Source], sightings: Sightings) -> _Outside:
    found = _Outside()
    for source in sources:
        try:
            found.unseen += len(unfamiliar(source, sightings, time.time())) + source.restless
        except ConfigError as error:
            found.silent.append(str(error))
        found.lonely += source.lonely if isinstance(source, Inbox) else 0
    return found


def _as_json(drawn: Account, outside: _Outside) -> dict[str, Any]:
    return {
        "recordings": drawn.recordings,
        "states": {state.value: number for state, number in drawn.states.items()},
        "sightings": drawn.sightings,
        "hours": round(drawn.hours, 2),
        "reasons": {state.value: dict(found) for state, found in drawn.reasons.items()},
        "suspects": drawn.suspects,
        "overdue": drawn.overdue,
        "unseen": outside.unseen,
        "descriptions_alone": outside.lonely,
        "sources_not_there": outside.silent,
        "disagreements": list(drawn.disagreements),
        "agrees": not drawn.disagreements,
    }


def _print(drawn: Account, outside: _Outside) -> None:
    for state, number in drawn.states.items():
        _say(f"{state.value:<10}{number:>8}")
        for reason, times in drawn.reasons.get(state, {}).items():
            _say(f"{'':<10}{times:>8}  {reason}")
    _say(f"{'together':<10}{sum(drawn.states.values()):>8}  of {drawn.recordings} recordings, seen in {drawn.sightings} places")
    _say(f"{'heard':<10}{drawn.hours:>8.1f}  hours")
    for text in _notes(drawn, outside):
        _say(text)
    _say("\n".join(f"DOES NOT AGREE: {it}" for it in drawn.disagreements) or "the account agrees")


def _say(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _notes(drawn: Account, outside: _Outside) -> list[str]:
    counted = {
        "waiting to be tried alone, after an attempt that did not come to an end": drawn.suspects,
        "running for a run that gave no sign of life; the next one takes them back": drawn.overdue,
        "files in the inboxes that no run has seen as they are now": outside.unseen,
        "descriptions in the inboxes without a recording beside them": outside.lonely,
    }
    return [*(f"{number} {text}" for text, number in counted.items() if number), *(f"not asked: {it}" for it in outside.silent)]
