"""The way out: calls that we make for campaigns, over one of the doors."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from engine.config.outbound import OutboundSection
from engine.runtime.engine import Engine
from engine.runtime.outbound.service import dialling
from engine.server.doors.common import Door


@contextlib.asynccontextmanager
async def opened(engine: Engine, section: OutboundSection) -> AsyncIterator[Door]:
    """Dial the campaigns that run; no new call is begun on the way out.

    Raises:
        ConfigError: the door that carries the calls is not open.
    """
    async with dialling(engine, section):
        yield Door("outbound", f"{section.carrier}, {section.lines} lines", "campaigns that were started")
