"""Session descriptions (SDP, RFC 8866) as the recorder needs them: what each line offers, and our answer (RFC 3264). Pure.

Rules of the answer: as many lines as the offer, in its order; a line we take gets its first codec that we know, and keys (RFC
4733) where they are offered; a line we don't take gets port 0. We never send, so what we take is ``recvonly``, or ``inactive``
where the SBC pauses it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from engine.core.errors import MediaError
from engine.telephony.siprec.srtp import KEY_BYTES, SALT_BYTES, Key, answer_key, read_key

MOST_LINES: Final = 8  # media lines; a call has two, a conference through one SBC hardly more
_LARGEST: Final = 16_384  # bytes
_PLAIN: Final = frozenset({"RTP/AVP", "RTP/AVPF"})
_ENCRYPTED: Final = frozenset({"RTP/SAVP", "RTP/SAVPF"})
_STATIC: Final[Mapping[int, str]] = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000"}  # RFC 3551 table 4: need no rtpmap
_KEYS: Final = "TELEPHONE-EVENT/8000"
_NOWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  the old way to say hold


class Codec(StrEnum):
    """What we can hear. All have a clock of 8 kHz in RTP, G.722 too (RFC 3551 section 4.5.2), and one octet for each tick."""

    PCMU = "PCMU/8000"
    PCMA = "PCMA/8000"
    G722 = "G722/8000"


class Direction(StrEnum):
    """Who sends, as the line says it of its writer."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class Line:
    """One ``m=`` line with what belongs to it."""

    kind: str
    port: int
    transport: str
    formats: tuple[str, ...]
    """As offered: payload types in the order of preference."""

    codecs: Mapping[int, str] = field(default_factory=dict)
    """``NAME/rate`` of each payload type."""

    label: str | None = None
    direction: Direction = Direction.SENDRECV
    key: Key | None = None
    """Of encrypted sound."""

    host: str | None = None
    """Where their sound comes from, an IP address; ``None`` where it is a name."""

    @property
    def heard(self) -> dict[int, Codec]:
        """The payload types on offer that we can hear, the preferred one first."""
        known = set(Codec)
        return {kind: Codec(self.codecs[kind]) for kind in self._payload_types() if self.codecs.get(kind) in known}

    @property
    def keys(self) -> tuple[int, ...]:
        """Payload types that carry keys on our clock."""
        return tuple(kind for kind in self._payload_types() if self.codecs.get(kind) == _KEYS)

    @property
    def encrypted(self) -> bool:
        """Whether its sound is."""
        return self.transport in _ENCRYPTED

    @property
    def usable(self) -> bool:
        """Whether we can take it at all: sound of a codec we know, plain or under a key we have, not switched off."""
        readable = self.transport in _PLAIN or (self.encrypted and self.key is not None)
        return self.sounds and readable and bool(self.heard)

    @property
    def sounds(self) -> bool:
        """Whether it is meant for sound, and not switched off."""
        return self.kind == "audio" and self.port != 0

    @property
    def paused(self) -> bool:
        """Whether the SBC sends nothing now, and means it."""
        return self.direction in (Direction.INACTIVE, Direction.RECVONLY) or self.host in _NOWHERE

    def _payload_types(self) -> list[int]:
        return [int(given) for given in self.formats if given.isdigit()]


@dataclass(frozen=True, slots=True)
class Description:
    """A session description."""

    lines: tuple[Line, ...]


def hearing(line: Line) -> dict[int, Codec]:
    """What each payload type is taken for. We answer with one codec, and some SBCs send another, even one they did not offer."""
    static = {kind: Codec(name) for kind, name in _STATIC.items() if line.codecs.get(kind, name) == name}
    return {**static, **line.heard}


def read_description(octets: bytes) -> Description:
    """Read one.

    Raises:
        MediaError: it is none, or too large.
    """
    if len(octets) > _LARGEST:
        raise MediaError(f"expected a session description of at most {_LARGEST} bytes, found {len(octets)}")
    rows = [row.strip().partition("=")[::2] for row in octets.decode("utf-8", "replace").splitlines() if row.strip()]
    if not rows or rows[0][0].strip() != "v":
        raise MediaError("expected a session description, which begins with v=, found something else")
    begins = [place for place, (name, _) in enumerate(rows) if name == "m"]
    if not 1 <= len(begins) <= MOST_LINES:
        raise MediaError(f"expected 1 to {MOST_LINES} media lines, found {len(begins)}")
    common = rows[: begins[0]]
    blocks = (rows[begin:end] for begin, end in zip(begins, [*begins[1:], len(rows)], strict=True))
    return Description(tuple(_line(block, common) for block in blocks))


def _line(block: Sequence[tuple[str, str]], common: Sequence[tuple[str, str]]) -> Line:
    words = block[0][1].split()
    if len(words) < 4 or not words[1].partition("/")[0].isdigit():
        raise MediaError("expected a media line with kind, port, transport and formats, found another")
    port = int(words[1].partition("/")[0][:6])
    attributes = [value for name, value in block if name == "a"]
    return Line(
        kind=words[0],
        port=port,
        transport=words[2].upper(),
        formats=tuple(words[3:]),
        codecs={**{kind: name for kind, name in _STATIC.items() if str(kind) in words[3:]}, **_rtpmaps(attributes)},
        label=_value(attributes, "label"),
        direction=_direction(attributes) or _direction([value for name, value in common if name == "a"]) or Direction.SENDRECV,
        key=read_key(attributes),
        host=_host(block) or _host(common),
    )


def _rtpmaps(attributes: Sequence[str]) -> dict[int, str]:
    maps: dict[int, str] = {}
    for attribute in attributes:
        name, _, value = attribute.partition(":")
        kind, _, codec = value.strip().partition(" ")
        if name == "rtpmap" and kind.isascii() and kind.isdigit() and len(kind) <= 3:
            maps[int(kind)] = "/".join(codec.strip().upper().split("/")[:2])
    return maps


def _value(attributes: Sequence[str], name: str) -> str | None:
    found = (attribute.partition(":") for attribute in attributes)
    return next((value.strip()[:64] for key, _, value in found if key == name and value.strip()), None)


def _direction(attributes: Sequence[str]) -> Direction | None:
    return next((Direction(attribute) for attribute in attributes if attribute in set(Direction)), None)


def _host(rows: Sequence[tuple[str, str]]) -> str | None:
    """The address of a ``c=`` line; a name is not looked up, because the caller would have to wait for it."""
    words = next((value.split() for name, value in rows if name == "c"), [])
    given = words[2].partition("/")[0] if len(words) > 2 else ""
    try:
        return str(ipaddress.ip_address(given))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, repr=False)
class Ours:
    """What our side of a session says of itself."""

    host: str
    number: int
    version: int
    """Grows with every change (RFC 3264 section 8)."""

    secret: bytes = bytes(KEY_BYTES + SALT_BYTES)
    """For the key that an answer to encrypted sound must name, though nothing is sent under it."""


def write_answer(lines: Sequence[Line], port_of: Callable[[int], int | None], ours: Ours) -> bytes:
    """Answer an offer's ``lines``; ``port_of`` gives our port of each, ``None`` where we don't take it."""
    host = ours.host
    family = "IP6" if ":" in host else "IP4"
    rows = [
        "v=0",
        f"o=callwright {ours.number} {ours.version} IN {family} {host}",
        "s=recording",
        f"c=IN {family} {host}",
        "t=0 0",
    ]
    for place, line in enumerate(lines):
        rows += _answered(line, port_of(place), ours.secret)
    return "".join(f"{row}\r\n" for row in rows).encode()


def _answered(line: Line, port: int | None, secret: bytes) -> list[str]:
    if port is None or not line.heard:
        return [f"m={line.kind} 0 {line.transport} {' '.join(line.formats)}"]
    kinds = [next(iter(line.heard)), *line.keys]
    rows = [f"m=audio {port} {line.transport} {' '.join(map(str, kinds))}"]
    rows += [f"a=rtpmap:{kind} {line.codecs[kind].lower() if kind in line.keys else line.codecs[kind]}" for kind in kinds]
    rows += [f"a=fmtp:{kind} 0-15" for kind in line.keys]
    rows += [answer_key(line.key, secret)] if line.encrypted and line.key is not None else []
    rows += [f"a=label:{line.label}"] if line.label else []
    return [*rows, "a=inactive" if line.paused else "a=recvonly"]
