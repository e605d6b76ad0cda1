"""``callwright qa sample``: draws the calls that people score."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.output import console, say_json
from engine.cli.qa.opening import AsJson, Card, card_key, moment, opened
from engine.cli.qa.shared import DEFAULT, ConfigFile
from engine.core.errors import ConfigError
from engine.qa.sampling import By, Candidate, Draw, calls_for
from engine.qa.sampling import draw as drawn
from engine.store.samples import CardKey, Samples


def sample(
    card: Card,
    *,
    size: Annotated[int | None, typer.Option(min=1, help="Calls to draw.")] = None,
    within: Annotated[float, typer.Option(min=0.1, max=50.0, help="Without --size: points, ±, to which errors are told.")] = 5.0,
    seed: Annotated[int, typer.Option(help="The same seed draws the same calls.")] = 0,
    by: Annotated[list[By] | None, typer.Option(help="What strata are made of; may be repeated.")] = None,
    question: Annotated[str | None, typer.Option(help="Draw for this question alone.")] = None,
    since: Annotated[str | None, typer.Option(help="Only calls that began on this day (UTC) or later.")] = None,
    config: ConfigFile = DEFAULT,
    json: AsJson = False,
) -> None:
    """Draw calls for people to score, so that they speak for all calls."""
    _, engine = opened(config)
    key = card_key(engine, card)
    samples = Samples(engine)
    calls = _about(samples.candidates(key, moment(since)), question)
    if not calls:
        raise ConfigError(f"expected calls that {key.name} (revision {key.revision[:8]}) has scored, found none")
    strata = by or [By.QUESTION]
    draw = drawn(calls, size or calls_for(within / 100.0, calls=len(calls)), seed, strata)
    design = {"by": strata, "question": question, "since": since, "size": len(draw.calls)}
    number = samples.keep(key, draw, design, datetime.now(UTC))
    if json:
        say_json({"sample": number, "card": key.name, "revision": key.revision, **design, "seed": seed, "strata": _strata(draw)})
    else:
        _print(number, key, draw, len(calls))


def _about(calls: list[Candidate], question: str | None) -> list[Candidate]:
    if question is None or not calls:
        return calls
    known = {name for it in calls for name in it.verdicts}
    if question not in known:
        raise ConfigError(f"--question: expected one of {', '.join(sorted(known))}, found {question!r}")
    return [
        Candidate(it.call, {question: it.verdicts[question]}, it.points, it.fatal, it.facts)
        for it in calls
        if question in it.verdicts
    ]


def _strata(draw: Draw) -> dict[str, dict[str, int]]:
    return {name: {"calls": it.size, "drawn": it.drawn} for name, it in draw.strata.items()}


def _print(number: int, key: CardKey, draw: Draw, calls: int) -> None:
    size = len(draw.calls)
    console.print(f"[bold]draw {number}[/bold]: {size} of {calls} calls of {key.name} ({key.revision[:8]}), seed {draw.seed}\n")
    table = Table("stratum", "calls", "drawn", box=None, padding=(0, 2))
    for name, it in draw.strata.items():
        table.add_row(name, str(it.size), str(it.drawn))
    console.print(table, markup=False)
    spared = math.sqrt(1.0 - size / calls)
    points = 100.0 * 1.96 * math.sqrt(0.1 * 0.9 / size) * spared
    told = f"So many, drawn evenly, tell a share of 10 % wrong verdicts to within ± {points:.1f} points"
    console.print(f"\n{told}; for ± 2.5 it takes {calls_for(0.025, calls=calls)}.", soft_wrap=True)
    console.print(f"To be scored: callwright qa review --sample {number} --export sheet.csv", soft_wrap=True)
