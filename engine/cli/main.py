"""The command line: one file a verb, wired here, and imported when it is asked for: who runs one does not wait for the
libraries of the others.

Exit codes: 0 fine, 1 a check found something, 2 usage, 65 bad data, 69 unavailable, 75 try later, 78 configuration
(the last four are those of BSD's ``sysexits.h``).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import ClassVar

import typer

from engine.cli.verbs import Verbs
from engine.core.errors import ConfigError, EngineError, MediaError, ModelError, ModelOverloaded

_EXIT_CODES: tuple[tuple[type[EngineError], int], ...] = (
    (ModelOverloaded, 75),
    (ModelError, 69),
    (MediaError, 65),
    (ConfigError, 78),
    (EngineError, 69),
)

_NAMES = (
    "demo",
    "serve",
    "call",
    "transcribe",
    "ask",
    "replay",
    "privacy",
    "doctor",
    "flow",
    "nlu",
    "learn",
    "qa",
    "campaign",
    "bench",
    "models",
    "config",
    "db",
    "keys",
    "keeping",
    "users",
    "audit",
)


class _Callwright(Verbs):
    modules: ClassVar[Mapping[str, str]] = {name: f"engine.cli.{name}" for name in _NAMES}


app = typer.Typer(
    cls=_Callwright,
    name="callwright",
    help="An on-premise, CPU-first speech engine for a bank's call centre.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def callwright() -> None:
    """An on-premise, CPU-first speech engine for a bank's call centre."""


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
