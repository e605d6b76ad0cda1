"""The command line: one file a verb, wired here. A verb's library is imported when it runs, so that ``--help`` is quick.

Exit codes: 0 fine, 1 a check found something, 2 usage, 65 bad data, 69 unavailable, 75 try later, 78 configuration
(the last four are those of BSD's ``sysexits.h``).
"""

from __future__ import annotations

import sys

import typer

from engine.cli import (
    ask,
    bench,
    call,
    config,
    db,
    demo,
    doctor,
    flow,
    models,
    nlu,
    qa,
    replay,
    serve,
    transcribe,
)
from engine.core.errors import ConfigError, EngineError, MediaError, ModelError, ModelOverloaded

_EXIT_CODES: tuple[tuple[type[EngineError], int], ...] = (
    (ModelOverloaded, 75),
    (ModelError, 69),
    (MediaError, 65),
    (ConfigError, 78),
    (EngineError, 69),
)

app = typer.Typer(
    name="callwright",
    help="An on-premise, CPU-first speech engine for a bank's call centre.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(serve.serve)
app.command()(call.call)
app.command()(transcribe.transcribe)
app.command()(ask.ask)
app.command()(replay.replay)
app.command()(doctor.doctor)
app.add_typer(flow.app, name="flow")
app.add_typer(nlu.app, name="nlu")
app.add_typer(qa.app, name="qa")
app.add_typer(bench.app, name="bench")
app.add_typer(models.app, name="models")
app.add_typer(config.app, name="config")
app.add_typer(db.app, name="db")


def exit_code(error: EngineError) -> int:
    """What the shell is told of an error."""
    return next(code for kind, code in _EXIT_CODES if isinstance(error, kind))


def main() -> None:
    """Run the verb; an error of the engine's becomes a sentence and an exit code, never a traceback."""
    try:
        app()
    except EngineError as error:
        print(error, file=sys.stderr)
        sys.exit(exit_code(error))
