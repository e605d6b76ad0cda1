"""``callwright qa``: quality control of every call. One file a verb, wired here and imported when it is asked for.

A verb is a function with typer's annotations in a module of its name, or a typer ``app`` there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import typer

from engine.cli.verbs import Verbs

_NAMES = (
    "prove", "score", "watch", "check", "schema", "run", "status", "retry", "report", "export", "webhooks", "sample", "review",
    "calibrate", "promote", "appeal", "replay",
)  # fmt: skip


class _Quality(Verbs):
    modules: ClassVar[Mapping[str, str]] = {name: f"engine.cli.qa.{name}" for name in _NAMES}


app = typer.Typer(
    cls=_Quality, help="Quality control: calls scored by a card, each verdict with its evidence.", no_args_is_help=True
)


@app.callback()
def qa() -> None:
    """Quality control: calls scored by a card, each verdict with its evidence."""
