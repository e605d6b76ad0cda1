"""What the SIP process is told when it starts. It holds passwords and a key: it goes by the socket pair alone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Final

from engine.core.units import Seconds

FLOW_HEADER: Final = "X-Callwright-Flow"


class Srtp(StrEnum):
    """Whether sound is encrypted (SDES, RFC 4568)."""

    OFF = "off"
    OPTIONAL = "optional"
    """Where the peer offers it."""
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Trunk:
    """An account at a registrar or at a provider's proxy."""

    name: str
    user: str
    domain: str
    """``host`` or ``host:port``."""
    password: str = field(default="", repr=False)
    auth_user: str | None = None
    """Where the login is not the user."""
    proxy: str | None = None
    """Where to send, where that is not the domain."""
    transport: str = "udp"
    expires: int = 600
    """seconds between registrations; 0 = none: the peer knows our address."""


@dataclass(frozen=True, slots=True)
class SipSettings:
    """Everything."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 = any free one."""
    transports: tuple[str, ...] = ("udp", "tcp")
    peers: tuple[str, ...] = ()
    """Networks; packets from elsewhere are dropped by the kernel. None = any."""
    codecs: tuple[str, ...] = ("pcma", "pcmu", "g722")
    rtp_ports: tuple[int, int] = (20_000, 20_999)
    rtp_timeout: Seconds = Seconds(30.0)
    """A call without a packet for so long is lost; not while it is held."""
    decided_within: Seconds = Seconds(3.0)
    """An engine that does not say so soon whether it takes a call is busy."""
    srtp: Srtp = Srtp.OFF
    certificate: str | None = field(default=None, repr=False)
    """In PEM: certificate, chain and key."""
    authorities: str | None = field(default=None, repr=False)
    """In PEM: who signs the peers' certificates."""
    verify_peers: bool = False
    """Whether a TLS client must show a certificate."""
    trunks: tuple[Trunk, ...] = ()

    def to_json(self) -> str:
        """Write it for the process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> SipSettings:
        """Read it in the process."""
        found = json.loads(text)
        tuples = {name: tuple(found[name]) for name in ("transports", "peers", "codecs", "rtp_ports")}
        trunks = tuple(Trunk(**trunk) for trunk in found["trunks"])
        return cls(**{**found, **tuples, "trunks": trunks, "srtp": Srtp(found["srtp"])})
