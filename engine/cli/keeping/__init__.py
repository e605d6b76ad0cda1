"""``callwright keeping``: how long calls are kept. One file a verb, wired here and imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import typer

from engine.cli.verbs import Verbs


class _Keeping(Verbs):
    modules: ClassVar[Mapping[str, str]] = {
        name: f"engine.cli.keeping.{name}" for name in ("status", "run", "hold", "release", "erase")
    }


app = typer.Typer(cls=_Keeping, help="How long calls are kept, what is held, and the erasure of a person.", no_args_is_help=True)


@app.callback()
def keeping() -> None:
    """How long calls are kept, what is held, and the erasure of a person."""
