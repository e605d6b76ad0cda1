"""What the AudioSocket process is told when it starts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from engine.audio.g711 import Law


class Payload(StrEnum):
    """What lies in frames of kind 0x10 that come in."""

    AUTO = "auto"
    """PCM; but 160 bytes are 20 ms of G.711 (the channel driver without ``c(slin)``), of the law in the settings."""
    SLIN = "slin"
    G711 = "g711"


@dataclass(frozen=True, slots=True)
class AudioSocketSettings:
    """Who may come in, how many, and how they are understood."""

    peers: tuple[str, ...] = ()
    """Networks; none = any."""

    connections: int = 512
    """At once. How many calls there may be is the engine's affair, which refuses them more politely."""

    unnamed: int = 64
    """Of one peer at once, that have not yet named their call."""

    payload: Payload = Payload.AUTO

    law: Law = Law.ULAW
    """Where the payload is G.711."""

    def to_json(self) -> str:
        """Write it for the process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> AudioSocketSettings:
        """Read it in the process."""
        found = json.loads(text)
        return cls(**{**found, "peers": tuple(found["peers"]), "payload": Payload(found["payload"]), "law": Law(found["law"])})
