"""``callwright keys``: what recordings, and what is made of them, are encrypted with. It runs beside a working engine."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from engine.access.deeds import Deed
from engine.cli.kept import keep
from engine.cli.output import console
from engine.config import Config, load_config
from engine.core.errors import ConfigError, MediaError
from engine.store.audit import Fact
from engine.store.database import connect, upgrade
from engine.store.keys import KeyFile
from engine.store.wrapped_keys import rewrap, wrapped_with

app = typer.Typer(help="The keys that recordings are encrypted with.", no_args_is_help=True)
_File = Annotated[Path, typer.Option("--config", help="The configuration file.")]
_ENGINE = Path("engine.toml")
_LOOKS = 3  # what gets its name between two looks is found by the next


@app.command()
def make(config: _File = _ENGINE) -> None:
    """Make the file of keys that `store.key_file` names, with one key in it. New recordings are encrypted from the next start."""
    known = load_config(config)
    file = _key_file(known)
    key = file.make(datetime.now(UTC))
    _keep(known, made=key.id.hex())
    console.print(f"{file.path}: made, with key {key.id.hex()}", markup=False)
    console.print("Keep a copy of it elsewhere than the recordings: without it nobody can hear them.")


@app.command()
def rotate(
    config: _File = _ENGINE,
    *,
    forget: Annotated[
        bool, typer.Option("--forget", help="Make no new key; take out the old ones that no recording needs any more.")
    ] = False,
) -> None:
    """Make a new key, and wrap the key of every file with it; no sound is written anew. Exit code 1 where one was not."""
    known = load_config(config)
    file = _key_file(known)
    if not forget:
        key = file.add(datetime.now(UTC))
        _keep(known, made=key.id.hex())
        console.print(f"{file.path}: new key {key.id.hex()}", markup=False)
    done, problems = _rewrapped(known, file)
    console.print(f"{done} files wrapped anew")
    for problem in problems:
        console.print(problem, markup=False)
    if problems:
        raise typer.Exit(1)
    if forget:
        gone = file.forget(frozenset(id for id in _used(known) if id is not None), datetime.now(UTC))
        _keep(known, forgotten=[it.id.hex() for it in gone])
        console.print(f"{len(gone)} old keys forgotten, {len(file.keys())} kept; one is kept for an hour after it was replaced")


@app.command()
def status(config: _File = _ENGINE) -> None:
    """Say how many files each key is for, and how many are not encrypted. Exit code 1 where a key is missing."""
    known = load_config(config)
    file, used = _key_file(known), _used(known)
    keys = file.keys()
    for key in keys:
        console.print(f"{key.id.hex()}  made {key.made:%Y-%m-%d %H:%M} UTC  {used.pop(key.id, 0)} files", markup=False)
    plain = used.pop(None, 0)
    console.print(f"{plain} files are not encrypted")
    for missing, count in used.items():
        console.print(f"{count} files need key {(missing or b'').hex()}, which is not there", markup=False)
    if used:
        raise typer.Exit(1)


def _keep(config: Config, **details: Fact) -> None:
    database = connect(config.store.database)
    upgrade(database)
    keep(config, database, Deed.CHANGED, "keys of recordings", **details)
    database.dispose()


def _key_file(config: Config) -> KeyFile:
    if config.store.key_file is None:
        raise ConfigError("store.key_file: expected the name of a file for the keys, found none")
    return KeyFile(config.store.key_file)


def _recordings(config: Config) -> list[Path]:
    """What the engine and quality control write, finished or not: recordings, masked ones, transcripts, phrases."""
    kinds = {
        config.store.recordings: ("*.wav", "*.wav.part", "*.json"),
        config.qa.folder: ("sound/*/*.wav", "transcripts/*/*.json", "passing/*.part", "received/*"),
        config.assist.phrases if config.assist else None: ("*.wav",),
    }
    there = ((folder, kind) for folder, some in kinds.items() if folder is not None for kind in some)
    return [it for folder, kind in there for it in sorted(folder.glob(kind)) if it.is_file()]


def _rewrapped(config: Config, file: KeyFile) -> tuple[int, list[str]]:
    """How many were, and why others could not be."""
    done, problems = 0, list[str]()
    for _ in range(_LOOKS):
        problems = []
        for path in _recordings(config):
            try:
                done += wrapped_with(path) is not None and rewrap(path, file)
            except FileNotFoundError:  # finished, or deleted, this moment
                continue
            except (OSError, MediaError) as error:
                problems.append(f"{path.name}: {error}")
    return done, problems


def _used(config: Config) -> Counter[bytes | None]:
    """How many files each key is for; ``None``: those that are not encrypted."""
    used: Counter[bytes | None] = Counter()
    for path in _recordings(config):
        try:
            used[wrapped_with(path)] += 1
        except FileNotFoundError:
            continue
    return used
