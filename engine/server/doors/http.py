"""The HTTP door: the pages, the WebSocket dialects, the API, health and metrics.

An engine on loopback to which nobody was added prints an address with a code, by which the first person adds themselves. Beyond
loopback there is none: there ``callwright users add`` adds the first one, and until then no page opens to anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from engine.access.lifetimes import Lifetimes
from engine.config import Config, HttpDoor
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.doors.arrivals import Entry
from engine.server.doors.common import Door, bound, protection
from engine.server.doors.tls import tls_of
from engine.server.doors.web import served, warmed
from engine.server.gate import Gate
from engine.server.indexing import indexed
from engine.server.keeping import kept
from engine.server.oidc import issuer_of
from engine.server.put_in_force import put_in_force
from engine.server.reception import PageRules, Reception
from engine.server.token import Token
from engine.server.upkeep import kept_up
from engine.store.audit import read_key
from engine.store.database import connect
from engine.store.house import House


@contextlib.asynccontextmanager
async def opened(engine: Engine, section: HttpDoor) -> AsyncIterator[list[Door]]:
    """Open it; it is shut on the way out.

    Raises:
        ConfigError: the address is taken, is none, or nothing protects it; or a file that does can't be read.
    """
    protected = protection("doors.http", section)
    token = Token.read("doors.http.token_file", section.token_file)
    entry = Entry(section.admits, section.connections, section.connections_per_peer, tls_of("doors.http", section))
    listening = bound("doors.http", section.host, section.port)
    with house_of(engine.config) as house:
        reception = await _reception(house, engine.config, section, token)
        await asyncio.to_thread(put_in_force, house.trail, engine.config, engine.flows)
        app = Gate(await warmed(http_app(engine, reception), "/healthz", "/api/v1/healthz"), section.hosts)
        async with _beside(house, engine.config), served(app, listening, entry):
            yield list(_doors(engine, reception, section, listening.getsockname()[1], protected))


@contextlib.asynccontextmanager
async def _beside(house: House, config: Config) -> AsyncIterator[None]:
    """What goes on while pages can be opened."""
    async with kept_up(house.trail, config.access), indexed(config), kept(config):
        yield


def _doors(engine: Engine, reception: Reception, section: HttpDoor, port: int, protected: str) -> Iterator[Door]:
    host = f"[{section.host}]" if ":" in section.host else section.host
    place = f"{host}:{port}"
    http, ws = ("https", "wss") if section.encrypted else ("http", "ws")
    if reception.first_code is not None:
        yield Door("first-person", f"{http}://{place}/first?code={reception.first_code}", "loopback only, once")
    yield Door("phone", f"{http}://{place}/phone", protected)
    if engine.agents:
        yield Door("desk", f"{http}://{place}/desk", protected)
    for dialect in ("twilio", "asterisk", "freeswitch"):
        yield Door(dialect, f"{ws}://{place}/{dialect}", protected)
    yield Door("api", f"{http}://{place}/api/v1/calls", "tokens")
    yield Door("health", f"{http}://{place}/readyz", protected)
    yield Door("metrics", f"{http}://{place}/metrics", "loopback only" if reception.trusts_here else "tokens")


@contextlib.contextmanager
def house_of(config: Config) -> Iterator[House]:
    """Everybody who is known; the database is at the present schema."""
    section = config.access
    lifetimes = Lifetimes(timedelta(seconds=section.idle), timedelta(seconds=section.longest))
    key = read_key(section.audit_key_file)
    database = connect(config.store.database)
    try:
        yield House.of(database, lifetimes, key)
    finally:
        database.dispose()


def rules_of(config: Config, section: HttpDoor) -> PageRules:
    """Where a door's pages may be opened."""
    return PageRules(config.access.networks, section.loopback, section.encrypted, section.unprotected is not None)


async def _reception(house: House, config: Config, section: HttpDoor, token: Token) -> Reception:
    rules = rules_of(config, section)
    nobody = await asyncio.to_thread(lambda: house.accounts.none)
    reception = Reception(token, house, rules, first_code=secrets.token_urlsafe(16) if section.loopback and nobody else None)
    reception.issuer = issuer_of(config.access.oidc)
    return reception
