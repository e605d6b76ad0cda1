"""``callwright qa``: quality control of every call. One file a verb, wired here.

A verb is a function with typer's annotations in a module of its own, with a line here: ``app.command()(module.verb)``.
"""

from __future__ import annotations

import typer

from engine.cli.qa import prove, report, score

app = typer.Typer(help="Quality control: calls scored by a card, each verdict with its evidence.", no_args_is_help=True)
app.command()(prove.prove)
app.command()(score.score)
app.command()(report.report)


@app.callback()
def qa() -> None:
    """Quality control: calls scored by a card, each verdict with its evidence."""
