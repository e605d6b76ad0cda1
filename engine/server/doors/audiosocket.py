"""The door for Asterisk's AudioSocket."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from engine.config import AudioSocketDoor
from engine.core.errors import ConfigError
from engine.runtime.engine import Engine
from engine.server.doors.common import Door, protection
from engine.telephony.audiosocket import serve_audiosocket


@contextlib.asynccontextmanager
async def opened(engine: Engine, section: AudioSocketDoor) -> AsyncIterator[list[Door]]:
    """Open it; it is shut on the way out.

    Raises:
        ConfigError: the address is taken, is none, or nothing protects it.
    """
    protected = protection("doors.audiosocket", section)
    try:
        server = await serve_audiosocket(section.host, section.port, engine.take)
    except OSError as error:
        found = f"expected to listen on {section.host}:{section.port}, found: {error.strerror}"
        raise ConfigError(f"doors.audiosocket: {found}") from error
    async with server:
        yield [Door("audiosocket", f"tcp://{section.host}:{server.sockets[0].getsockname()[1]}", protected)]
