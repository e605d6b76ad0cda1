"""``callwright config``: check and show the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import console, say_json
from engine.config import load_config

app = typer.Typer(help="Check and show the settings.", no_args_is_help=True)
_File = Annotated[Path, typer.Option("--config", help="The configuration file.")]


@app.command()
def check(config: _File = Path("engine.toml")) -> None:
    """Say whether the file is right; if not, each field that is wrong (exit code 78)."""
    load_config(config)
    console.print(f"{config}: fine")


@app.command()
def show(config: _File = Path("engine.toml")) -> None:
    """Print every setting, the defaults included."""
    say_json(load_config(config).model_dump(mode="json"))
