"""An engine of its own for the proof: every door on loopback, every line of the log, everything it writes in one folder."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.access.permissions import Role
from engine.access.principal import PersonId, Principal
from engine.config import Config
from engine.core.errors import ConfigError
from engine.store.accounts import Actor
from engine.store.database import connect
from engine.store.house import House
from engine.testing.canaries.memory import Process, family

# Debug lines of every library go to the log too: what an operator in need would switch on.
_BEGIN: Final = "import logging; logging.basicConfig(level=logging.DEBUG); from engine.cli.main import main; main()"
_COOKIE: Final = "callwright"  # as :mod:`engine.server.reception` calls it
_PORTS: Final = 100  # of RTP
_STARTS_WITHIN: Final = 600.0  # seconds; the first time it renders its prompts
_STOPS_WITHIN: Final = 40.0


@dataclass(frozen=True, slots=True)
class Running:
    """The engine's process and everything it writes."""

    folder: Path
    cache: Path
    pid: int
    doors: Mapping[str, str]
    signed_in: Mapping[str, str]
    """Headers of a person who may use the browser phone."""

    def processes(self) -> list[Process]:
        """All of them, its workers too."""
        return family(self.pid)


@contextlib.asynccontextmanager
async def running(config: Config, host: str, folder: Path) -> AsyncIterator[Running]:
    """Start an engine like ``config``, in ``folder``; stop it on the way out. Not safe to cancel.

    Raises:
        ConfigError: it does not start.
    """
    for name in ("tmp", "recordings"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    written = folder / "engine.toml"
    written.write_text(toml(_settings(config, host, folder)), encoding="utf-8")
    log = folder / "engine.log"
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "COLUMNS": "200"}
    with log.open("wb") as lines:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _BEGIN, "serve", "--config", str(written),
            cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=lines,
        )  # fmt: skip
    try:
        async with asyncio.timeout(_STARTS_WITHIN):
            doors = await _opened(process, log)
        signed_in = await asyncio.to_thread(_signed_in, folder)
        yield Running(folder, config.tts.cache, process.pid, doors, signed_in)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOPS_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def sip_is_built() -> bool:
    """Whether the extra ``sip`` is installed."""
    return importlib.util.find_spec("baresip") is not None


def toml(tables: Mapping[str, Any]) -> str:
    """Write settings; JSON's scalars and lists are TOML's."""
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {_inline(it)}\n" for key, it in table.items()) for name, table in tables.items()
    )


def _settings(config: Config, host: str, folder: Path) -> dict[str, Any]:
    given = config.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    kept = {name: given[name] for name in ("flow", "asr", "endpoint", "tts", "calls", "assist") if given.get(name)}
    if config.asr.second is None:
        kept.setdefault("asr", {})["second"] = ""  # nobody, and not the default
    (folder / "token").write_text("the proof's", encoding="ascii")
    base = _free_ports(_PORTS)
    sip = {"doors.sip": {"port": 0, "in_band_keys": True, "rtp_ports": [base, base + _PORTS - 1]}} if sip_is_built() else {}
    return {
        **kept,
        "host": {"url": host, "token_file": str(folder / "token")},
        "store": {"database": f"sqlite:///{folder}/calls.db", "recordings": str(folder / "recordings")},
        "qa": {"folder": str(folder / "qa"), "rest": 0},
        "doors.http": {"port": 0},
        "doors.audiosocket": {"port": 0},
        **sip,
    }


def _signed_in(folder: Path) -> dict[str, str]:
    """Add somebody who may talk to flows, and open the door for them."""
    store = connect(f"sqlite:///{folder}/calls.db")
    house, person = House.of(store), PersonId("proof")
    house.accounts.add(Actor("shell:proof"), Principal(person, frozenset(Role)), secrets.token_urlsafe())
    cookie = house.sessions.begin(person, "127.0.0.1")
    store.dispose()
    return {"Cookie": f"{_COOKIE}={cookie}"}


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_inline(it)}" for key, it in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _free_ports(count: int) -> int:
    """The first of a row of ports that nobody uses now, as far as its ends can tell."""
    for base in range(30_000, 60_000, count):
        with (
            contextlib.suppress(OSError),
            socket.socket(type=socket.SOCK_DGRAM) as first,
            socket.socket(type=socket.SOCK_DGRAM) as last,
        ):
            first.bind(("127.0.0.1", base))
            last.bind(("127.0.0.1", base + count - 1))
            return base
    raise ConfigError(f"expected {count} free UDP ports in a row on 127.0.0.1, found none")


async def _opened(process: asyncio.subprocess.Process, log: Path) -> dict[str, str]:
    assert process.stdout is not None
    last = "sip" if sip_is_built() else "audiosocket"
    doors: dict[str, str] = {}
    while last not in doors:
        line = (await process.stdout.readline()).decode()
        if not line:
            raise ConfigError(f"expected the engine to open its doors, found it gone; its last words are in {log}")
        name, _, rest = line.partition(" ")
        doors[name] = rest.split()[0]
    return doors
