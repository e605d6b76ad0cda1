"""The HTTP door: the browser phone, the WebSocket dialects, health and metrics."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from engine.config import HttpDoor
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.doors.common import Door, bound, protection
from engine.server.doors.web import served


@contextlib.asynccontextmanager
async def opened(engine: Engine, section: HttpDoor) -> AsyncIterator[list[Door]]:
    """Open it; it is shut on the way out.

    Raises:
        ConfigError: the address is taken, is none, or nothing protects it.
    """
    protected = protection("doors.http", section)
    listening = bound("doors.http", section.host, section.port)
    async with served(http_app(engine), listening):
        place = f"{section.host}:{listening.getsockname()[1]}"
        yield [
            Door("phone", f"http://{place}/phone", protected),
            Door("twilio", f"ws://{place}/twilio", protected),
            Door("api", f"http://{place}/api/v1/calls", "token" if section.token_file else "shut: token_file is not set"),
            Door("health", f"http://{place}/readyz", protected),
            Door("metrics", f"http://{place}/metrics", protected),
        ]
