"""What the verbs of ``callwright keeping`` share."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import console
from engine.config import Config, load_config
from engine.core.errors import ConfigError
from engine.outbound.numbers import Number, read_number
from engine.privacy.person import Person
from engine.runtime.keeping.deleting import Done, Keeping
from engine.store.database import connect, upgrade
from engine.store.holds import Hold

ConfigFile = Annotated[Path, typer.Option("--config", help="The configuration file.")]
Numbers = Annotated[list[str] | None, typer.Option("--number", help="A telephone number of theirs, with its country's code.")]
Keys = Annotated[list[str] | None, typer.Option("--person", help="The bank's key of them, as in campaigns' lists and in facts.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Why = Annotated[str, typer.Option("--why", help="The reason; it is kept in the audit chain, so no name and no number.")]
ENGINE = Path("engine.toml")


def opened(path: Path) -> tuple[Config, Keeping]:
    """The configuration, and its calls; the database is at the present schema."""
    config = load_config(path)
    database = connect(config.store.database)
    upgrade(database)
    return config, Keeping.of(config, database)


def people_of(numbers: Sequence[str] | None, keys: Sequence[str] | None) -> list[Person]:
    """Whom somebody means.

    Raises:
        ConfigError: a number is none.
    """
    return [*(Person.of(_number(it)) for it in numbers or ()), *(Person.of(it) for it in keys or ())]


def impersonal(why: str, people: Sequence[Person]) -> str:
    """A reason that can be kept.

    Raises:
        ConfigError: it names the person, or there is none.
    """
    if not why.strip():
        raise ConfigError("--why: expected a reason, found none")
    if any(it.is_named_in(why) for it in people):
        raise ConfigError(
            "--why: expected a reason without the person's number or key, since it is kept; found one of them in it"
        )
    return why


def agreed(question: str, *, yes: bool) -> bool:
    """A yes from the terminal; where there is none, a no."""
    return yes or (sys.stdin.isatty() and typer.confirm(question, err=True))


def say(told: str) -> None:
    """Print it as it is."""
    console.print(told, markup=False, soft_wrap=True)


def tell(done: Done, holds: Sequence[Hold]) -> None:
    """What came of a run, or would."""
    for (name, step), number in sorted(done.gone.items()):
        say(f"{number:>8} calls  {name}: {step}")
    say(f"{done.contacts:>8} contacts")
    say(f"{done.files:>8} files")
    known = {it.id: it for it in holds}
    for id, number in sorted(done.held.items()):
        say(f"{number:>8} kept: hold {id}, {known[id].why}")
    if done.in_hand:
        say(f"{done.in_hand:>8} in hand: they go on or are being heard; run it again later")
    if done.finished:
        say(f"{done.finished:>8} that a killed run had begun with were finished")
    for it in done.left:
        say(it)


def _number(written: str) -> str:
    found = read_number(written, None)
    if isinstance(found, Number):
        return found.e164
    digits = "+" + "".join(filter(str.isdigit, written))  # somebody's all the same, though nobody would dial it
    if written.strip().startswith("+") and Person.of(digits).digits is not None:
        return digits
    raise ConfigError(f"--number: expected a telephone number with its country's code, such as +77011234567; found {found}")
