"""``callwright nlu``: how well words are understood."""

from __future__ import annotations

import typer

app = typer.Typer(help="The understanding of words.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``eval`` a verb of its own, though it is the only one yet."""
