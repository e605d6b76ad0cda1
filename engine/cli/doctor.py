"""``callwright doctor``: what is there, what is missing, and how to mend it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from engine.asr.registry import recogniser_names
from engine.cli.output import console
from engine.config import Config, ListeningDoor, WebDoor, load_config
from engine.config.file import place
from engine.core.errors import ConfigError
from engine.core.hardened import harden
from engine.core.precedence import may_keep_time
from engine.ivr.files import load_flow
from engine.model_files import State, rows
from engine.runtime.hardened import hardness
from engine.server.doors.common import protection
from engine.server.oidc import issuer_of
from engine.server.usable import everything
from engine.store.accounts import Accounts
from engine.store.audit import Trail
from engine.store.database import connect
from engine.store.keys import keys_of
from engine.tts.registry import voice_names

_LEAST_DISK = 1 << 30  # bytes; a day of recordings of one busy line takes about as much


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    fine: bool
    found: str
    mend: str = ""


def doctor(
    config: Annotated[Path, typer.Option(help="The configuration to look at, if there is one.")] = Path("engine.toml"),
) -> None:
    """Look at this machine; exit code 1 where something must be mended."""
    sick = 0
    for finding in _look(config):
        sick += not finding.fine
        told = escape(f"{finding.what}: {finding.found}")
        console.print(f"{'[green]✓[/green]' if finding.fine else '[red]✗[/red]'} {told}")
        if not finding.fine:
            console.print(f"    {finding.mend}", markup=False)
    if sick:
        raise typer.Exit(1)


def _look(config: Path) -> Iterator[Finding]:
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0], "install Python 3.11 or newer")
    yield Finding("cores", (os.cpu_count() or 1) > 1, str(os.cpu_count()), "one core carries one call at best; give it two")
    free = shutil.disk_usage(Path.cwd()).free
    yield Finding("disk", free > _LEAST_DISK, f"{free / 1e9:.1f} GB free", "make room, or record elsewhere (store.recordings)")
    yield Finding("recognisers", bool(recogniser_names()), ", ".join(recogniser_names()), "pip install 'callwright[models]'")
    yield Finding("voices", bool(voice_names()), ", ".join(voice_names()), "pip install 'callwright[models]'")
    espeak = shutil.which("espeak-ng")
    yield Finding(
        "espeak-ng", espeak is not None, espeak or "not found", "apt-get install espeak-ng: Russian and Chinese prompts need it"
    )
    mend = "LimitRTPRIO=2 and LimitNICE=-10 in the service's unit: without them whoever computes makes callers wait"
    yield Finding("real time", timely := may_keep_time(), "for sound" if timely else "not allowed", mend)
    yield from _shut()
    yield from _models()
    if config.exists():
        yield from _configured(config)


def _shut() -> Iterator[Finding]:
    """What protects digits in memory; ``harden`` is what the engine's processes do when they begin."""
    harden()
    found = hardness()
    told = f"not dumpable, {found.locked_bytes // 1024 if found.locked_bytes >= 0 else 'any'} kB may be locked"
    yield Finding("memory", found.closed, told if found.closed else "dumpable", "run the engine on Linux, as its own user")
    mend = "swapoff -a, or LimitMEMLOCK=1M in the service's unit"
    yield Finding("swap", found.swapped_never, "no digit can come to lie there" if found.swapped_never else "in use", mend)


def _models() -> Iterator[Finding]:
    for row in rows(verify=True):
        fine = row.state in {State.READY, State.FETCHABLE} or (row.optional and row.state is State.MISSING)
        mend = f"callwright models fetch {row.name}, or {row.source}"
        yield Finding(f"model {row.name}", fine, row.problem or row.state.value, mend)


def _configured(path: Path) -> Iterator[Finding]:
    try:
        config = load_config(path)
    except ConfigError as error:
        yield Finding(str(path), fine=False, found=str(error), mend="mend the lines above")
        return
    found = list(everything(config))
    for it in found:
        yield Finding(place(path, it.setting), fine=False, found=it.told, mend="mend this line, or what it names")
    if not found:
        yield Finding(str(path), fine=True, found=_main(config))
    for look in (_encrypted, _kept, _doors, _pages, _issuer):
        with contextlib.suppress(ConfigError):  # told above
            yield from look(config)


def _main(config: Config) -> str:
    """The flow that calls get which ask for none, in few words; it can be used."""
    if config.flow is None:
        return "no flow: it only listens"
    flow = load_flow(config.flow.path)
    return f"flow {flow.name}, {len(flow.nodes)} nodes, {', '.join(flow.languages)}"


def _encrypted(config: Config) -> Iterator[Finding]:
    """Whether recordings are encrypted; that they are not is told, and no sickness: the disk may be."""
    keys, told = keys_of(config.store.key_file), "not encrypted: store.key_file is not set"
    if config.store.recordings is None:
        told = "nothing is recorded"
    elif keys is not None:
        told = f"encrypted; {len(keys.keys())} keys in {keys.path}"
    yield Finding("recordings", fine=True, found=told)


def _kept(config: Config) -> Iterator[Finding]:
    """How long calls are kept; for ever is no sickness, but should be meant."""
    if config.keeping is None:
        yield Finding("keeping", fine=True, found="calls are kept for ever: [keeping] is not there")
        return
    longest = max(max(it.kept.values()) for it in config.keeping.rules.classes).days
    yield Finding("keeping", fine=True, found=f"{len(config.keeping.classes)} classes and the default; {longest} days at most")


def _doors(config: Config) -> Iterator[Finding]:
    """Each open door that is protected: what by, and whether what passes can be read on the way."""
    for name in type(config.open_doors).model_fields:
        door = getattr(config.open_doors, name)
        if not isinstance(door, ListeningDoor) or not (door.loopback or door.protections or door.unprotected):
            continue
        clear = isinstance(door, WebDoor) and not (door.loopback or door.encrypted or door.unprotected is not None)
        found = f"{door.host}:{door.port}, {protection(f'doors.{name}', door)}{', in clear beyond loopback' if clear else ''}"
        yield Finding(f"door {name}", not clear, found, f"set doors.{name}.tls_certificate and tls_key, or have a proxy encrypt")


def _issuer(config: Config) -> Iterator[Finding]:
    """Where the bank's issuer must send people back to; it is not asked."""
    if (issuer := issuer_of(config.access.oidc)) is not None and config.access.oidc is not None:
        yield Finding("issuer", fine=True, found=f"{config.access.oidc.issuer}; it must know {issuer.back}")


def _pages(config: Config) -> Iterator[Finding]:
    """Whether somebody can sign in, as far as a file tells; no database is made or brought up to date by looking."""
    door = config.open_doors.http
    if door is None:
        return
    shut = not (door.loopback or door.encrypted or door.unprotected is not None)
    mend = "set doors.http.tls_certificate, or let a proxy that encrypts stand before the door"
    yield Finding("pages", not shut, "shut: beyond loopback and in clear" if shut else "open to who signs in", mend)
    address = make_url(config.store.database)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        return
    nobody = _nobody(config.store.database) and not door.loopback
    yield Finding("users", not nobody, "nobody can sign in" if nobody else "fine", "callwright users add NAME --role ROLE")


def _nobody(address: str) -> bool:
    database = connect(address)
    try:
        return Accounts(Trail(database)).none
    except SQLAlchemyError:  # of an older schema: serve brings it up to date
        return True
    finally:
        database.dispose()
