"""``callwright qa``: quality control of every call. One file a verb, wired here.

A verb is a function with typer's annotations in a module of its own, with a line here: ``app.command()(module.verb)``.
"""

from __future__ import annotations

import typer

from engine.cli.qa import (
    appeal,
    calibrate,
    check,
    export,
    promote,
    prove,
    replay,
    report,
    retry,
    review,
    run,
    sample,
    schema,
    score,
    status,
    watch,
    webhooks,
)

app = typer.Typer(help="Quality control: calls scored by a card, each verdict with its evidence.", no_args_is_help=True)
app.command()(prove.prove)
app.command()(score.score)
app.command()(watch.watch)
app.command()(check.check)
app.command()(schema.schema)
app.command()(run.run)
app.command()(status.status)
app.command()(retry.retry)
app.command()(report.report)
app.command()(export.export)
app.add_typer(webhooks.app, name="webhooks")
app.command()(sample.sample)
app.command()(review.review)
app.command()(calibrate.calibrate)
app.command()(promote.promote)
app.add_typer(appeal.app, name="appeal")
app.command()(replay.replay)


@app.callback()
def qa() -> None:
    """Quality control: calls scored by a card, each verdict with its evidence."""
