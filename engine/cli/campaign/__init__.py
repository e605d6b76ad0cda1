"""``callwright campaign``: calls that we make. One file a verb, wired here and imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import typer

from engine.cli.verbs import Verbs

_FILES = {
    "check": "check",
    "schema": "schema",
    "import": "importing",
    "preview": "preview",
    "start": "start",
    "pause": "pause",
    "resume": "resume",
    "stop": "stop",
    "status": "status",
    "export": "export",
    "block": "block",
    "unblock": "unblock",
    "uncertain": "uncertain",
    "run": "run",
    "followups": "followups",
}


class _Campaign(Verbs):
    modules: ClassVar[Mapping[str, str]] = {name: f"engine.cli.campaign.{file}" for name, file in _FILES.items()}


app = typer.Typer(
    cls=_Campaign, help="Calls that we make: lists, rules, who is called when and what came of it.", no_args_is_help=True
)


@app.callback()
def campaign() -> None:
    """Calls that we make: lists, rules, who is called when and what came of it."""
