"""``callwright qa watch``: what a card says of a call while it goes on, shown over one that is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.output import console, say_json
from engine.cli.qa.score import call_in
from engine.core.units import Language
from engine.qa.files import load_scorecard
from engine.qa.monitor import Change, Standing
from engine.qa.watching import watched

_COLOURS = {Standing.SATISFIED: "green", Standing.VIOLATED: "red", Standing.UNKNOWN: "yellow"}


def watch(
    file: Annotated[Path, typer.Argument(help="A transcript (.json), or a recording: the caller on the left.")],
    scorecard: Annotated[Path, typer.Option(help="The card, a YAML file.")],
    language: Annotated[str | None, typer.Option(help="Of a recording; by default the card's first.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a change.")] = False,
) -> None:
    """Say when in the call each question was satisfied or violated for good, as a card that watches a call live would."""
    card = load_scorecard(scorecard)
    call = call_in(file, Language(language) if language else card.languages[0])
    changes = list(watched(card, call))
    if json:
        for change in changes:
            say_json(_as_json(change))
        return
    table = Table("at", "question", "", "because", box=None, padding=(0, 2))
    for change in changes:
        colour = _COLOURS.get(change.standing, "dim")
        table.add_row(_clock(change.at), change.question.id, f"[{colour}]{change.standing}[/{colour}]", _because(change))
    console.print(table)


def _because(change: Change) -> str:
    first = next(iter(change.evidence), None)
    return "nothing more can be found" if first is None else f"{_clock(first.span.start)}  {first.text}".replace("[", r"\[")


def _clock(time: float) -> str:
    return f"{int(time) // 60:d}:{time % 60:04.1f}"


def _as_json(change: Change) -> dict[str, object]:
    evidence = [{"start": round(it.span.start, 3), "end": round(it.span.end, 3), "text": it.text} for it in change.evidence]
    return {"at": round(change.at, 3), "question": change.question.id, "standing": change.standing.value, "evidence": evidence}
