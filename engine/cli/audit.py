"""``callwright audit``: who did what, and whether the chain of it still holds."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.access.chain import Entry, Head
from engine.access.deeds import Deed
from engine.cli.kept import shell
from engine.cli.output import console, say_json
from engine.cli.users import house_of
from engine.config import load_config
from engine.core.errors import ConfigError, MediaError
from engine.store.audit import Asked, Told
from engine.store.heads import append_head, head_line

app = typer.Typer(help="Who did what: a chain in which nothing can be changed unseen.", no_args_is_help=True)

_File = Annotated[Path, typer.Option("--config", help="The configuration file.")]
_Since = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Rows from then on, UTC.")]
_ENGINE = Path("engine.toml")


@app.command()
def verify(
    heads: Annotated[list[Path] | None, typer.Option(help="A file of heads that were exported, one JSON object a line.")] = None,
    config: _File = _ENGINE,
) -> None:
    """Look for every edit, deletion, change of order and truncation; exit code 1 where there is one."""
    exported = [head for file in heads or () for head in _heads(file)]
    with house_of(config) as house:
        found = list(house.trail.breaks(exported))
        head = house.trail.head()
    for one in found:
        console.print(f"row {one.number}: {one.found}", soft_wrap=True, markup=False)
    if found:
        raise typer.Exit(1)
    compared = f"and agree with {len(exported)} exported heads" if exported else "(no exported head to compare with: see --heads)"
    console.print(f"{head.number} rows hold together {compared}", soft_wrap=True, markup=False)


@app.command()
def head(
    to: Annotated[Path | None, typer.Option(help="Append it to this file, instead of showing it.")] = None,
    config: _File = _ENGINE,
) -> None:
    """Export the head: keep it where nobody who can write the database can write."""
    with house_of(config) as house:
        found = house.trail.head()
    if to is None:
        sys.stdout.write(head_line(found))
    else:
        append_head(found, to)


@app.command()
def show(
    who: Annotated[str | None, typer.Option(help="What this person or machine did.")] = None,
    what: Annotated[Deed | None, typer.Option(help="Only this.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only what was done to this.")] = None,
    since: _Since = None,
    last: Annotated[int, typer.Option(min=1, help="How many rows at most.")] = 50,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
    config: _File = _ENGINE,
) -> None:
    """Show the newest rows, in their order."""
    asked = Asked(who, what, subject, since and since.replace(tzinfo=UTC))
    with house_of(config) as house:
        rows = list(house.trail.rows(asked, last))
    for entry, hash_ in reversed(rows):
        if as_json:
            say_json(_object(entry, hash_))
        else:
            told = f"{entry.number:>7}  {entry.at[:19]}  {entry.who or '-':<20} {entry.what:<24} {entry.subject}  {entry.address}"
            console.print(f"{told}  {entry.details if entry.details != '{}' else ''}".rstrip(), soft_wrap=True, markup=False)


@app.command()
def export(to: Path, since: _Since = None, config: _File = _ENGINE) -> None:
    """Write rows to a new file (mode 0600), one JSON object a line, with their hashes; that this was done is a row itself."""
    asked = Asked(since=since and since.replace(tzinfo=UTC))
    try:
        opened = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"expected to write a new file {to}, found: {error.strerror}") from error
    told = {"since": asked.since.isoformat() if asked.since else None}
    with house_of(config) as house, os.fdopen(opened, "w", encoding="utf-8") as file:
        house.trail.keep(Told(shell().who, Deed.AUDIT_EXPORTED, details=told))
        for entry, hash_ in house.trail.rows(asked):
            file.write(json.dumps(_object(entry, hash_), ensure_ascii=False) + "\n")
    console.print(f"{to}: written", markup=False)


@app.command()
def prune(config: _File = _ENGINE) -> None:
    """Take out rows that are older than access.audit_kept, as serve does once a day; that this was done is a row itself."""
    before = datetime.now(UTC) - timedelta(days=load_config(config).access.audit_kept)
    with house_of(config) as house:
        gone = house.trail.prune(before, shell().who)
    console.print(f"{gone} rows from before {before:%Y-%m-%d} taken out", markup=False)


def _heads(file: Path) -> Iterator[Head]:
    """Of every line that holds one; others are other people's."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected a readable file at {file}, found: {error}") from error
    found = [Head(line["number"], line["hash"]) for line in map(_parsed, lines) if _is_head(line)]
    if not found:
        raise MediaError(f"{file}: expected heads of the chain, such as callwright audit head writes, found none")
    return iter(found)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _is_head(line: Any) -> bool:
    return isinstance(line, dict) and isinstance(line.get("number"), int) and isinstance(line.get("hash"), str)


def _object(entry: Entry, hash_: str) -> dict[str, Any]:
    return {**asdict(entry), "details": json.loads(entry.details), "hash": hash_}
