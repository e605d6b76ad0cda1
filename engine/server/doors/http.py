"""The HTTP door: the browser phone, the WebSocket dialects, health and metrics."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from engine.config import HttpDoor
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.doors.arrivals import Entry, tls_of
from engine.server.doors.common import Door, bound, protection
from engine.server.doors.web import served
from engine.server.gate import Gate
from engine.server.token import Token


@contextlib.asynccontextmanager
async def opened(engine: Engine, section: HttpDoor) -> AsyncIterator[list[Door]]:
    """Open it; it is shut on the way out.

    Raises:
        ConfigError: the address is taken, is none, or nothing protects it; or a file that does can't be read.
    """
    protected = protection("doors.http", section)
    token = Token.read("doors.http.token_file", section.token_file)
    entry = Entry(section.admits, section.connections, section.connections_per_peer, tls_of("doors.http", section))
    app = Gate(http_app(engine, token), section.hosts, token)
    listening = bound("doors.http", section.host, section.port)
    async with served(app, listening, entry):
        host = f"[{section.host}]" if ":" in section.host else section.host
        place = f"{host}:{listening.getsockname()[1]}"
        http, ws = ("https", "wss") if section.encrypted else ("http", "ws")
        yield [
            Door("phone", f"{http}://{place}/phone", protected),
            *([Door("desk", f"{http}://{place}/desk", protected)] if engine.agents else []),
            Door("twilio", f"{ws}://{place}/twilio", protected),
            Door("asterisk", f"{ws}://{place}/asterisk", protected),
            Door("freeswitch", f"{ws}://{place}/freeswitch", protected),
            Door("api", f"{http}://{place}/api/v1/calls", "token" if section.token_file else "shut: token_file is not set"),
            Door("health", f"{http}://{place}/readyz", protected),
            Door("metrics", f"{http}://{place}/metrics", protected),
        ]
