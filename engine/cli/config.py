"""``callwright config``: check and show the settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.output import console, say_json
from engine.config import load_config
from engine.server.usable import everything, load_usable

app = typer.Typer(help="Check and show the settings.", no_args_is_help=True)
_BEFORE_HOST = re.compile(r"(?<=://)([^:@/\s]*:)\S+@")
_IN_QUERY = re.compile(r"([?&](?:ssl)?password=)[^&\s]+")
_File = Annotated[Path, typer.Option("--config", help="The configuration file.")]


@app.command()
def check(config: _File = Path("engine.toml")) -> None:
    """Say whether the file is right, and all that it names there and of use; if not, each line that is wrong (exit code 78)."""
    load_usable(config, everything)
    console.print(f"{config}: fine")


@app.command()
def show(config: _File = Path("engine.toml")) -> None:
    """Print every setting, the defaults included; passwords in addresses are not shown."""
    say_json(_without_passwords(load_config(config).model_dump(mode="json")))


def _without_passwords(setting: Any) -> Any:
    """``postgresql://bank:***@db/calls``, wherever it stands; rather too much hidden than too little."""
    match setting:
        case dict():
            return {name: _without_passwords(it) for name, it in setting.items()}
        case list():
            return [_without_passwords(it) for it in setting]
        case str():
            return _IN_QUERY.sub(r"\1***", _BEFORE_HOST.sub(r"\1***@", setting))
    return setting
