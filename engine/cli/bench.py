"""``callwright bench``: the questions an engineer asks, answered by measuring on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Measure on this machine: latency, words, intents, voice activity, endpointing.", no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help="End with one JSON object.")]
_Set = Annotated[Path | None, typer.Option("--set", help="A folder with a manifest.jsonl of your own recordings.")]


@app.command()
def latency(
    calls: Annotated[list[int] | None, typer.Option(help="Callers at a time; may be repeated.")] = None,
    turns: Annotated[int, typer.Option(help="Turns measured at each number of callers, at least.")] = 60,
    folder: _Set = None,
    *,
    json: _Json = False,
) -> None:
    """From the true end of speech to the reply's first sample, and from barge-in to silence."""
    from bench.latency import run  # noqa: PLC0415 -- each bench has libraries of its own

    run(calls or (1, 10, 20), turns, folder=folder, json=json)
