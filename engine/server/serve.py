"""Opens the doors that the configuration names, and says which are open, where, and how they are protected."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from engine.runtime.engine import Engine
from engine.server.doors import audiosocket, http, outbound, sip, siprec, vosk
from engine.server.doors.common import Door

_Opener = Callable[[Engine, Any], AbstractAsyncContextManager[list[Door]]]
_DOORS: Final[dict[str, _Opener]] = {
    "http": http.opened,
    "audiosocket": audiosocket.opened,
    "sip": sip.opened,
    "vosk": vosk.opened,
    "siprec": siprec.opened,
}


@contextlib.asynccontextmanager
async def doors(engine: Engine) -> AsyncIterator[list[Door]]:
    """Open them; they are shut on the way out.

    Raises:
        ConfigError: an address is taken, is none, or lies beyond loopback without protection and without a word about it.
    """
    sections = engine.config.open_doors
    async with contextlib.AsyncExitStack() as stack:
        found: list[Door] = []
        for name, opened in _DOORS.items():
            if (section := getattr(sections, name)) is not None:
                found += await stack.enter_async_context(opened(engine, section))
        if engine.config.outbound is not None:
            found.append(await stack.enter_async_context(outbound.opened(engine, engine.config.outbound)))
        yield found
