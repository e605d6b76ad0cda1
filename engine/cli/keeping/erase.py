"""``callwright keeping erase``: a person's calls and contacts, and the proof that nothing of them is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from engine.cli.keeping.shared import (
    ENGINE,
    AsJson,
    ConfigFile,
    Keys,
    Numbers,
    Why,
    agreed,
    impersonal,
    opened,
    people_of,
    say,
    tell,
)
from engine.cli.kept import shell
from engine.cli.output import say_json
from engine.config import Config
from engine.privacy.person import Person
from engine.runtime.keeping.deleting import Erased, Keeping
from engine.runtime.keeping.seeking import Search, Sought, seek
from engine.store.scrubbing import beyond


def erase(
    why: Why,
    number: Numbers = None,
    person: Keys = None,
    name: Annotated[
        list[str] | None, typer.Option(help="A name of theirs, or words, that the proof seeks too; nothing is found by it.")
    ] = None,
    config: ConfigFile = ENGINE,
    *,
    prove: Annotated[
        bool, typer.Option("--prove", help="Seek them afterwards in the database, the search and all files.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Say what there is of a person, and erase it after a yes: calls, contacts, messages. What is held stays, as it says.

    Exit code 1 where anything is left: held, in hand, an inbox's file, or found by the proof.
    """
    known, keeping = opened(config)
    people = people_of(number, person)
    if not people:
        raise typer.BadParameter("expected --number or --person, found neither")
    reason = impersonal(why, [*people, *map(Person.of, name or ())])
    if not json:
        _foretell(keeping, people)
    if not agreed("Erase this?", yes=yes):
        say("nothing was erased; say yes at the terminal, or --yes")
        return
    erased = keeping.erase(people, shell().who, reason, datetime.now(UTC))
    found = _proof(known, keeping, people, name or (), erased) if prove else None
    if json:
        say_json(_as_json(erased, found) | {"beyond": list(beyond(keeping.trail.database))})
    else:
        _tell(keeping, erased, found)
    done = erased.done
    if done.held or done.in_hand or done.left or erased.not_ours or (found is not None and found.left):
        raise typer.Exit(1)


def _foretell(keeping: Keeping, people: Sequence[Person]) -> None:
    calls, contacts = keeping.of_person(people)
    say(f"{len(calls)} calls, {len(contacts)} contacts")
    others = {it for one in contacts for it in (one.person, one.number)} - {it.subject for it in people}
    for it in sorted(others):
        say(f"a contact of theirs is known as {it} too: say --number or --person if it is them")


def _proof(config: Config, keeping: Keeping, people: Sequence[Person], names: Sequence[str], erased: Erased) -> Search:
    return seek(config, keeping.trail.database, Sought(people, names, erased.names))


def _tell(keeping: Keeping, erased: Erased, found: Search | None) -> None:
    say(f"erasure {erased.number}")
    tell(erased.done, keeping.holds.all())
    say(f"{erased.besides.listed:>8} entries of lists of whom not to call, kept as digests")
    say(f"{erased.besides.messages:>8} messages")
    for it in erased.not_ours:
        say(f"not ours to delete, and still there: {it}")
    for it in beyond(keeping.trail.database):
        say(it)
    if found is not None:
        say(f"sought in {', '.join(found.looked_at)}")
        say("\n".join(f"LEFT: {it.where} ({it.times})" for it in found.left) or "nothing is left")


def _as_json(erased: Erased, found: Search | None) -> dict[str, object]:
    done = erased.done
    told: dict[str, object] = {
        "erasure": erased.number,
        "calls": done.gone.total(),
        "contacts": done.contacts,
        "files": done.files,
        "listed": erased.besides.listed,
        "messages": erased.besides.messages,
        "held": {str(hold): number for hold, number in done.held.items()},
        "in_hand": done.in_hand,
        "not_ours": list(erased.not_ours),
        "notes": list(done.left),
    }
    if found is not None:
        told["proof"] = {
            "looked_at": list(found.looked_at),
            "left": [{"where": it.where, "times": it.times} for it in found.left],
        }
    return told
