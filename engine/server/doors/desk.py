"""The door of a process that has desks only: ``callwright serve --only desk``."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from engine.config import Config, HttpDoor
from engine.config.sections import AssistSection
from engine.core.errors import ConfigError
from engine.core.units import Language
from engine.ivr.files import load_flow
from engine.runtime.silent_agents import DeskRoom
from engine.server.desk_app import desk_app
from engine.server.doors.arrivals import Entry
from engine.server.doors.common import Door, bound, protection
from engine.server.doors.http import house_of, rules_of
from engine.server.doors.tls import tls_of
from engine.server.doors.web import served
from engine.server.gate import Gate
from engine.server.reception import Reception
from engine.server.token import Token
from engine.store.database import connect, upgrade
from engine.store.keys import keys_of


@contextlib.asynccontextmanager
async def opened(config: Config) -> AsyncIterator[list[Door]]:
    """Open it; it is shut on the way out.

    Raises:
        ConfigError: the configuration has no such door, or no board that other processes see; or a setting is wrong.
    """
    assist, section = _wanted(config)
    languages = _languages(config)
    protected = protection("doors.desk", section)
    entry = Entry(section.admits, section.connections, section.connections_per_peer, tls_of("doors.desk", section))
    listening = bound("doors.desk", section.host, section.port)
    database = connect(config.store.database)
    upgrade(database)
    room = DeskRoom(assist, database, keys_of(config.store.key_file))
    try:
        with house_of(config) as house:
            token = Token.read("doors.desk.token_file", section.token_file)
            reception = Reception(token, house, rules_of(config, section))
            app = Gate(desk_app(room, languages, reception), section.hosts)
            async with served(app, listening, entry):
                place = _place(section, listening.getsockname()[1])
                yield [Door("desk", f"{place}/desk", protected), Door("health", f"{place}/readyz", protected)]
    finally:
        room.close()
        database.dispose()


def _wanted(config: Config) -> tuple[AssistSection, HttpDoor]:
    if config.assist is None or config.assist.board != "database":
        found = "no [assist]" if config.assist is None else f'"{config.assist.board}"'
        raise ConfigError(f'assist.board: expected "database", which a process that has desks only can see, found {found}')
    if config.doors.desk is None:
        raise ConfigError("expected [doors.desk], where desks are served by a process of their own, found none")
    return config.assist, config.doors.desk


def _place(section: HttpDoor, port: int) -> str:
    host = f"[{section.host}]" if ":" in section.host else section.host
    return f"{'https' if section.encrypted else 'http'}://{host}:{port}"


def _languages(config: Config) -> tuple[Language, ...]:
    """What callers speak."""
    flows = config.flow.paths.values() if config.flow else ()
    return tuple(dict.fromkeys(language for path in flows for language in load_flow(path).languages))
