"""``callwright keeping hold``: what is not deleted, whatever its time, whoever asks."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.keeping.shared import ENGINE, ConfigFile, Keys, Numbers, Why, impersonal, opened, people_of, say
from engine.cli.kept import shell
from engine.core.errors import ConfigError
from engine.runtime.keeping.deleting import Keeping
from engine.store.holds import HeldBy


def hold(
    why: Why,
    call: Annotated[list[str] | None, typer.Option(help="A call: its id, or its recording's content.")] = None,
    number: Numbers = None,
    person: Keys = None,
    campaign: Annotated[list[str] | None, typer.Option(help="All calls and contacts of a campaign.")] = None,
    config: ConfigFile = ENGINE,
) -> None:
    """Hold calls: by the call, by a person, by a campaign. Neither their time nor an erasure deletes them until `release`."""
    _, keeping = opened(config)
    people = people_of(number, person)
    named = [
        *((HeldBy.CALL, _call(keeping, it)) for it in call or ()),
        *((HeldBy.PERSON, it.subject) for it in people),
        *((HeldBy.CAMPAIGN, it) for it in campaign or ()),
    ]
    if not named:
        raise typer.BadParameter("expected --call, --number, --person or --campaign, found none")
    reason = impersonal(why, people)
    for kind, subject in named:
        found = keeping.holds.hold(shell(), kind, subject, reason)
        say(f"hold {found.id}: {kind}")


def _call(keeping: Keeping, name: str) -> str:
    if keeping.call(name) is None:
        raise ConfigError(f"--call: expected a call that is kept, found none called {name}")
    return name
