"""The door for Asterisk's AudioSocket: which calls it admits, and where their callers go on."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

from engine.config import AudioSocketDoor, Config
from engine.core.call import CallFacts
from engine.core.errors import ConfigError
from engine.runtime.engine import Engine
from engine.server.desk import Desk
from engine.server.doors.common import Deaths, Door, bound, figures, protection
from engine.telephony.announced import Announcement
from engine.telephony.audiosocket.gateway import Gateway
from engine.telephony.audiosocket.settings import AudioSocketSettings
from engine.telephony.handover import new_call_id


@contextlib.asynccontextmanager
async def opened(engine: Engine, section: AudioSocketDoor) -> AsyncIterator[list[Door]]:
    """Open it; it is shut on the way out.

    Raises:
        ConfigError: the address is taken, is none, nothing protects it, or no call could ever be announced.
    """
    protected = protection("doors.audiosocket", section)
    can_announce(engine.config, section)
    desk = Desk(engine, strangers=not section.announces)

    def admit(name: UUID) -> CallFacts | None:
        known = desk.admit(name)
        return None if known is None else _facts(name, known)

    settings = AudioSocketSettings(
        tuple(map(str, section.peers)), section.connections, section.unnamed, section.payload, section.law
    )
    listening = bound("doors.audiosocket", section.host, section.port)
    gateway = Gateway(listening, settings, admit, desk.carry, desk.hand_over, in_band_keys=section.in_band_keys)
    try:
        port = await gateway.open()
        with figures(engine, Deaths("callwright_audiosocket_process_deaths", gateway.process)):
            yield [Door("audiosocket", f"tcp://{section.host}:{port}", protected)]
    finally:
        await gateway.close()


def can_announce(config: Config, section: AudioSocketDoor) -> None:
    """See that somebody can announce calls where only announced ones come in.

    Raises:
        ConfigError: nobody can.
    """
    http = config.open_doors.http
    if section.announces and (http is None or http.token_file is None):
        raise ConfigError(
            "doors.audiosocket.announced_only: expected doors.http.token_file, since calls are announced there with that token, "
            "found none. Name it; or, to take every call of a known network, say announced_only = false and name its peers"
        )


def _facts(name: UUID, known: Announcement) -> CallFacts:
    return CallFacts(
        id=new_call_id(str(name)),
        door="audiosocket",
        caller_number=known.caller_number,
        called_number=known.called_number,
        peer_id=str(name),
        flow=known.flow,
        language=known.language,
    )
