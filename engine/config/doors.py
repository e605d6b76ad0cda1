"""The doors' settings, a table for each: where it listens, who may come in, and what is true of it alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.audio.g711 import Law
from engine.config.section import NoneIfEmpty, Port, Section
from engine.telephony.audiosocket.settings import Payload
from engine.telephony.peers import admits
from engine.telephony.sip.settings import Srtp


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
        return admits(self.peers, address)


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
    hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")], ...] = Field(
        (), description="Names this door is reached by, such as `voice.bank.example`; IP addresses and `localhost` are known."
    )
    connections: int = Field(1_000, ge=1, le=100_000, description="Most at once, calls and all; one more is answered 503.")
    connections_per_peer: int = Field(
        500, ge=1, le=100_000, description="Most at once from one address; a proxy or a PBX is one address for all its calls."
    )


class AudioSocketDoor(ListeningDoor):
    """The port Asterisk's AudioSocket connects to."""

    port: Port = Field(9092, description="0 = any free one.")
    announced_only: bool | None = Field(
        None,
        description="Whether only calls that `POST /api/v1/calls` has announced come in; left out: yes, but not on loopback.",
    )
    payload: Payload = Field(
        Payload.AUTO, description="What frames of sound hold: PCM (`slin`), `g711`, or `auto`: 160 bytes are G.711, others PCM."
    )
    law: Law = Field(Law.ULAW, description="Of G.711: `ulaw` or `alaw`.")
    in_band_keys: bool = Field(
        default=True, description="Whether key tones in the sound count, as Asterisk 18 needs, until a key comes as a message."
    )
    connections: int = Field(512, ge=1, le=20_000, description="Most at once; one more is closed at once.")
    unnamed: int = Field(
        64, ge=1, le=20_000, description="Most at once from one peer that have not named their call; they have 5 s to do so."
    )

    @property
    def announces(self) -> bool:
        """Whether only announced calls come in."""
        return self.announced_only if self.announced_only is not None else not self.loopback

    @property
    def protections(self) -> tuple[str, ...]:
        """What keeps strangers out, in words."""
        return (*super().protections, *(["announced calls only"] if self.announces else []))


class VoskDoor(WebDoor):
    """The port of the vosk-server protocol, at path `/`."""

    port: Port = Field(2700, description="0 = any free one.")
    sample_rate: Literal[8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] = Field(
        8_000, description="Hz, of clients that don't say; what vosk-server calls `VOSK_SAMPLE_RATE`."
    )
    language: str | None = Field(None, description="What clients speak that name no model; by default the engine's first.")
    models: Mapping[str, str] = Field(
        {}, description='Names of models that clients may ask for, and their languages: `{ "model-ru" = "ru" }`.'
    )
    silence: float = Field(0.7, ge=0.3, le=5, description="seconds of silence that end a phrase")
    text: Literal["plain", "written"] = Field(
        "plain",
        description="`plain`: small letters, no punctuation, numbers as words, as vosk writes; "
        "`written`: as the recogniser writes.",
    )
    unknown_confidence: float | None = Field(
        None, ge=0, le=1, description="What `conf` says where the recogniser can't tell; by default the field is left out."
    )
    max_streams: int = Field(50, ge=1, le=10_000, description="More clients are refused with HTTP 503.")
    idle: float = Field(300.0, gt=0, description="seconds without a message after which a client is taken for gone")
    fastest: float = Field(30.0, ge=1, le=1000, description="times real time; who sends faster waits for the replies")
    largest_message: int = Field(1 << 20, ge=4096, le=1 << 26, description="bytes")
    origins: tuple[str, ...] = Field(
        (), description="Origins of web pages that may connect, such as `https://desk.example`; none named = any."
    )
    metrics: bool = Field(default=False, description="Serve `/metrics` and `/readyz` on this port too.")


class TrunkSection(Section):
    """An account at a registrar or at a provider's proxy."""

    name: str = Field(description="What we call it.")
    user: str = Field(description="The user part of our address there; often a number.")
    domain: str = Field(description="`host` or `host:port`.")
    password_file: Path | None = Field(None, description="A file that holds the password.")
    auth_user: str | None = Field(None, description="The login, where it is not the user.")
    proxy: str | None = Field(None, description="`host` or `host:port` to send to, where that is not the domain.")
    transport: Literal["udp", "tcp", "tls"] = Field("udp", description="How to reach it.")
    register_every: int = Field(600, ge=0, le=86_400, description="seconds; 0 = never: the provider knows our address.")


class SignallingDoor(ListeningDoor):
    """What doors have that speak SIP: in clear by each of ``transports``, with TLS on the next port."""

    transports: tuple[Literal["udp", "tcp"], ...] = Field(
        ("udp", "tcp"), description="Beside TLS, which opens where there is a certificate."
    )
    tls_certificate: Path | None = Field(None, description="A PEM file with the certificate and its chain.")
    tls_key: Path | None = Field(None, description="A PEM file with the certificate's key.")
    tls_clients: Path | None = Field(None, description="A PEM file with who signs the certificates that peers must show.")

    @property
    def protections(self) -> tuple[str, ...]:
        """What keeps strangers out, in words."""
        only_tls = self.tls_clients is not None and not self.transports
        return (*super().protections, *(["client certificates"] if only_tls else []))

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("expected tls_certificate and tls_key together, found one of them")
        if not self.transports and self.tls_certificate is None:
            raise ValueError("expected a transport, or tls_certificate, found neither")
        return self


class SipDoor(SignallingDoor):
    """The port of SIP, over UDP and TCP; TLS listens on the next one."""

    port: Port = Field(5060, description="0 = any free one.")
    tls_servers: Path | None = Field(None, description="A PEM file with who signs the certificates of trunks we call.")
    srtp: Srtp = Field(Srtp.OFF, description="Whether sound is encrypted (SDES); `optional` = where the peer offers it.")
    codecs: tuple[Literal["pcma", "pcmu", "g722"], ...] = Field(
        ("pcma", "pcmu", "g722"), min_length=1, description="In the order we offer them."
    )
    rtp_ports: tuple[Port, Port] = Field(
        (20_000, 20_999), description="The first and the last UDP port for sound; a call takes two."
    )
    rtp_timeout: float = Field(30.0, ge=1, le=600, description="seconds without a packet that end a call; not while it is held")
    in_band_keys: bool = Field(default=False, description="Whether key tones in the sound count, for trunks without RFC 4733.")
    flows: Mapping[str, str] = Field({}, description="The flow of each number that is called; others get the one of `[flow]`.")
    destinations: Mapping[str, str | tuple[str, ...]] = Field(
        {},
        description="The SIP address of each destination in the flows, with `{call}` and `{intent}` filled in; of several, "
        "the next is tried where one fails.",
    )
    screen: str | None = Field(None, description="An address for the operator's screen; `{call}` stands for the call's name.")
    trunks: tuple[TrunkSection, ...] = Field((), description="Accounts elsewhere.")

    @property
    def encrypted(self) -> bool:
        """Whether what passes can't be read on the way."""
        return not self.transports and self.srtp is Srtp.REQUIRED

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.rtp_ports[1] - self.rtp_ports[0] < 10:
            raise ValueError("expected rtp_ports to be a range, the lower first, found fewer than ten ports")
        if len({trunk.name for trunk in self.trunks}) < len(self.trunks):
            raise ValueError("expected a name of its own for each trunk, found one twice")
        ipaddress.ip_address(self.host)  # SIP names its own address in what it says, so a name will not do
        return self


class SiprecDoor(SignallingDoor):
    """The port a session border controller forks calls to, for recording: SIP over UDP and TCP; TLS listens on the next one."""

    port: Port = Field(5080, description="0 = any free one.")
    srtp: Literal["optional", "required"] = Field(
        "optional", description="Whether sound must be encrypted (SDES), or is where the SBC offers it."
    )
    advertised: IPv4Address | IPv6Address | None = Field(
        None, description="The address the SBC reaches us at, where it is not the one we listen on."
    )
    rtp_ports: tuple[Port, Port] = Field(
        (24_000, 25_999), description="The first and the last UDP port for sound; a call takes four. `[0, 0]` = any free ones."
    )
    agents: tuple[str, ...] = Field(
        (), description="Patterns of agents' addresses in the metadata, such as `sip:4???@*`; everybody else is a caller."
    )
    first_line: Literal["caller", "agent"] = Field(
        "caller", description="Who is on the first line of a call, where neither `agents` nor the SBC tells."
    )
    language: str | None = Field(None, description="What is spoken; by default the engine's first language.")
    lost: float = Field(30.0, ge=1, le=3600, description="seconds without sound or word of the SBC, after which the call is over")
    longest: float = Field(14_400.0, gt=10, description="seconds; no recording lasts longer")

    @property
    def encrypted(self) -> bool:
        """Whether what passes can't be read on the way."""
        return not self.transports and self.srtp == "required"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        first, last = self.rtp_ports
        if (first, last) != (0, 0) and not 1024 <= first < last:
            raise ValueError(f"expected rtp_ports with the first, of 1024 or more, before the last, found {first} and {last}")
        return self


class DoorsSection(Section):
    """How calls come in; `name = ""` shuts a door."""

    http: NoneIfEmpty[HttpDoor] = HttpDoor()
    desk: NoneIfEmpty[HttpDoor] = Field(
        None, description="Opened by `callwright serve --only desk` alone: silent agents' desks, by a process without models."
    )
    audiosocket: NoneIfEmpty[AudioSocketDoor] = AudioSocketDoor()
    sip: NoneIfEmpty[SipDoor] = None
    vosk: NoneIfEmpty[VoskDoor] = None
    siprec: NoneIfEmpty[SiprecDoor] = None
