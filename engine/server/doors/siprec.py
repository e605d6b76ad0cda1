"""The door for SIPREC."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from engine.config import SiprecDoor
from engine.core.errors import ConfigError
from engine.runtime.engine import Engine
from engine.server.doors.common import Door


@contextlib.asynccontextmanager
async def opened(_: Engine, section: SiprecDoor) -> AsyncIterator[list[Door]]:
    """Open it; it is shut on the way out.

    Raises:
        ConfigError: the address is taken, is none, or nothing protects it.
    """
    raise ConfigError(f"doors.siprec: this door is still being built, found it on {section.host}")
    yield []
