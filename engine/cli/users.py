"""``callwright users``: people who sign in, and machines that show a token. Every change stands in the audit chain.

A password is asked for at the terminal, or read from a file, and never an argument: other users of the machine can see those.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.access.permissions import PEOPLES_ROLES, Role
from engine.access.principal import PersonId, Principal
from engine.cli.kept import shell
from engine.cli.output import console, say_json
from engine.config import load_config
from engine.core.errors import ConfigError
from engine.store.audit import read_key
from engine.store.database import connect, upgrade
from engine.store.house import House

app = typer.Typer(help="Who may sign in, and what as.", no_args_is_help=True)

_File = Annotated[Path, typer.Option("--config", help="The configuration file.")]
_Roles = Annotated[list[Role] | None, typer.Option("--role", help="What they are here for; may be given several times.")]
_Teams = Annotated[list[str] | None, typer.Option("--team", help="The only teams whose calls they see; none named = all.")]
_Secret = Annotated[Path | None, typer.Option("--password-file", help="Read the password from here, instead of asking.")]
_ENGINE = Path("engine.toml")


@app.command()
def add(name: str, role: _Roles = None, team: _Teams = None, password_file: _Secret = None, config: _File = _ENGINE) -> None:
    """Add somebody."""
    person = Principal(PersonId(name), _of_people(role), frozenset(team or ()))
    with house_of(config) as house:
        house.accounts.add(shell(), person, _password(password_file))
    console.print(f"{name.lower()}: added as {', '.join(sorted(person.roles))}", markup=False)


@app.command("list")
def show(*, as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False, config: _File = _ENGINE) -> None:
    """Show people and machines, with what they may do."""
    with house_of(config) as house:
        people, machines = house.accounts.people(), house.machines.machines()
    rows = [
        *(_row(one.principal, "disabled" if one.disabled else "fine", signed_in=_iso(one.signed_in_at)) for one in people),
        *(_row(one.principal, _state(one.revoked, one.expires_at), until=_iso(one.expires_at)) for one in machines),
    ]
    for row in rows:
        if as_json:
            say_json(row)
        else:
            teams = f"  teams {', '.join(row['teams'])}" if row["teams"] else ""
            until = f"  until {row['until']}" if row["until"] else ""
            console.print(
                f"{row['name']:<24} {row['state']:<9} {', '.join(row['roles'])}{teams}{until}", soft_wrap=True, markup=False
            )


@app.command()
def roles(
    name: str,
    role: _Roles = None,
    team: _Teams = None,
    *,
    all_teams: Annotated[bool, typer.Option("--all-teams", help="Let them see the calls of all teams.")] = False,
    config: _File = _ENGINE,
) -> None:
    """Give somebody other roles than they had; they are signed out. Teams that are not named stay."""
    given = _of_people(role)
    with house_of(config) as house:
        house.accounts.change(shell(), name, roles=given, teams=() if all_teams else team)
    console.print(f"{name.lower()}: {', '.join(sorted(given))}", markup=False)


@app.command()
def disable(name: str, config: _File = _ENGINE) -> None:
    """Let somebody in no more; they are signed out at once."""
    with house_of(config) as house:
        house.accounts.switch(shell(), name, disabled=True)
    console.print(f"{name.lower()}: disabled", markup=False)


@app.command()
def enable(name: str, config: _File = _ENGINE) -> None:
    """Let somebody in again."""
    with house_of(config) as house:
        house.accounts.switch(shell(), name, disabled=False)
    console.print(f"{name.lower()}: enabled", markup=False)


@app.command()
def password(name: str, password_file: _Secret = None, config: _File = _ENGINE) -> None:
    """Give somebody a new password; they are signed out."""
    with house_of(config) as house:
        if house.accounts.find(name) is None:
            raise ConfigError(f"expected the name of somebody who was added, found {name!r}")
        house.accounts.set_password(shell(), name, _password(password_file))
    console.print(f"{name.lower()}: has a new password", markup=False)


@app.command()
def token(
    name: str,
    role: Annotated[list[Role] | None, typer.Option("--role", help="What it is here for; by default `machine`.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it holds.")] = 365,
    to: Annotated[Path | None, typer.Option(help="Write it to this new file (mode 0600), instead of showing it.")] = None,
    config: _File = _ENGINE,
) -> None:
    """Make a machine's token; it is shown this once."""
    with house_of(config) as house, _written_to(to) as write:
        write(house.machines.add(shell(), name, role or [Role.MACHINE], timedelta(days=days)))


@app.command()
def revoke(name: str, config: _File = _ENGINE) -> None:
    """Let a machine's token open nothing any more."""
    with house_of(config) as house:
        house.machines.revoke(shell(), name)
    console.print(f"{name}: revoked", markup=False)


@contextlib.contextmanager
def house_of(config: Path) -> Iterator[House]:
    """Everybody who is known to a configuration's database, which is brought to the present schema."""
    loaded = load_config(config)
    key = read_key(loaded.access.audit_key_file)
    database = connect(loaded.store.database)
    try:
        upgrade(database)
        yield House.of(database, key=key)
    finally:
        database.dispose()


def _of_people(roles: Collection[Role] | None) -> frozenset[Role]:
    if not roles:
        raise ConfigError(f"expected --role with one of {', '.join(sorted(PEOPLES_ROLES))}, found none")
    if Role.MACHINE in roles:
        raise ConfigError("expected a role of people's, found machine: callwright users token makes a machine's token")
    return frozenset(roles)


def _password(file: Path | None) -> str:
    if file is None:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected a readable file at {file}, found: {error}") from error


@contextlib.contextmanager
def _written_to(file: Path | None) -> Iterator[Callable[[str], None]]:
    """A function that writes one line to a new file of its owner's, or to the terminal."""
    if file is None:
        yield lambda line: print(line, file=sys.stdout)
        return
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"expected to write a new file {file}, found: {error.strerror}") from error
    with os.fdopen(opened, "w", encoding="ascii") as written:
        yield lambda line: print(line, file=written)


def _row(principal: Principal, state: str, until: str | None = None, signed_in: str | None = None) -> dict[str, Any]:
    roles, teams = sorted(principal.roles), sorted(principal.teams)
    return {"name": principal.id, "state": state, "roles": roles, "teams": teams, "until": until, "signed_in": signed_in}


def _state(revoked: bool, expires_at: datetime) -> str:
    return "revoked" if revoked else "expired" if expires_at <= datetime.now(UTC) else "fine"


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
