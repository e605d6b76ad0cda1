"""The doors' settings, a table for each: where it listens, who may come in, and what is true of it alone."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from engine.config.section import NoneIfEmpty, Port, Section


class ListeningDoor(Section):
    """What every door has."""

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: Port = Field(description="0 = any free one.")
    peers: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description="The networks calls may come from, such as `10.1.0.0/16`; none named = any."
    )
    unprotected: Literal["i know"] | None = Field(
        None, description='Must say "i know" to open this door beyond loopback with nothing to protect it.'
    )

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def protections(self) -> tuple[str, ...]:
        """What keeps strangers out, in words."""
        return (f"peers {', '.join(map(str, self.peers))}",) if self.peers else ()

    @property
    def encrypted(self) -> bool:
        """Whether what passes can't be read on the way."""
        return False

    def admits(self, address: str) -> bool:
        """Whether a peer at this address may come in."""
        if not self.peers:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        return any((mapped or found) in network for network in self.peers)


class WebDoor(ListeningDoor):
    """What doors have that speak HTTP or WebSocket."""

    token_file: Path | None = Field(None, description="A file that holds the token peers must show.")
    tls_certificate: Path | None = Field(None, description="A PEM file with the certificate and its chain.")
    tls_key: Path | None = Field(None, description="A PEM file with the certificate's key.")
    tls_clients: Path | None = Field(None, description="A PEM file with who signs the certificates that peers must show.")

    @property
    def protections(self) -> tuple[str, ...]:
        """What keeps strangers out, in words."""
        ours = (("token", self.token_file), ("client certificates", self.tls_clients))
        return (*super().protections, *(name for name, file in ours if file is not None))

    @property
    def encrypted(self) -> bool:
        """Whether what passes can't be read on the way."""
        return self.tls_certificate is not None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("expected tls_certificate and tls_key together, found one of them")
        if self.tls_clients is not None and self.tls_certificate is None:
            raise ValueError("expected tls_certificate where tls_clients is given, found none")
        return self


class HttpDoor(WebDoor):
    """The port of the browser phone, the WebSocket dialects, the API, health and metrics."""

    port: Port = Field(8080, description="0 = any free one.")


class AudioSocketDoor(ListeningDoor):
    """The port Asterisk's AudioSocket connects to."""

    port: Port = Field(9092, description="0 = any free one.")


class VoskDoor(WebDoor):
    """The port of the vosk-server protocol, at path `/`."""

    port: Port = Field(2700, description="0 = any free one.")


class SipDoor(ListeningDoor):
    """The port of SIP, over UDP and TCP; TLS listens on the next one."""

    port: Port = Field(5060, description="0 = any free one.")


class SiprecDoor(ListeningDoor):
    """The port a session border controller forks calls to, for recording."""

    port: Port = Field(5080, description="0 = any free one.")


class DoorsSection(Section):
    """How calls come in; `name = ""` shuts a door."""

    http: NoneIfEmpty[HttpDoor] = HttpDoor()
    audiosocket: NoneIfEmpty[AudioSocketDoor] = AudioSocketDoor()
    sip: NoneIfEmpty[SipDoor] = None
    vosk: NoneIfEmpty[VoskDoor] = None
    siprec: NoneIfEmpty[SiprecDoor] = None
