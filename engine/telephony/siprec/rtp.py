"""RTP packets and the keys in them (RFC 3550 section 5.1, RFC 4733), read from datagrams nobody vouches for. Pure.

What is no packet is ``None``, not an error: anybody can send a datagram, and a stream's next packet is a good one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_HEAD: Final = struct.Struct("!BBHII")
_LARGEST: Final = 1_500  # bytes; 20 ms of G.711 are 172
_RTCP_TYPES: Final = range(192, 224)  # second octet; RFC 5761 section 4
MOST_EVENT: Final = 15  # RFC 4733 section 3.2: 0-9 * # A-D


@dataclass(frozen=True, slots=True)
class Packet:
    """One piece of one sender's stream."""

    payload_type: int
    marker: bool
    sequence: int
    """16 bits; wraps."""

    timestamp: int
    """32 bits, in samples; wraps, and begins anywhere."""

    ssrc: int
    payload: bytes


def is_rtcp(octets: bytes) -> bool:
    """Whether this is a control packet, which may share the port."""
    return len(octets) >= 8 and octets[0] >> 6 == 2 and octets[1] in _RTCP_TYPES


def read_packet(octets: bytes) -> Packet | None:
    """Read a datagram, or ``None`` where it is no RTP packet with something in it."""
    if not _HEAD.size < len(octets) <= _LARGEST or is_rtcp(octets):
        return None
    first, second, sequence, timestamp, ssrc = _HEAD.unpack_from(octets)
    begin = _HEAD.size + 4 * (first & 0x0F)  # contributing sources
    if first & 0x10:  # an extension: two octets of profile, two of length in words
        if len(octets) < begin + 4:
            return None
        begin += 4 + 4 * int.from_bytes(octets[begin + 2 : begin + 4], "big")
    end = len(octets) - (octets[-1] if first & 0x20 else 0)  # padding
    if first >> 6 != 2 or begin >= end:
        return None
    return Packet(second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, octets[begin:end])


def key_length(payload: bytes) -> int | None:
    """How long the key of an RFC 4733 payload has been held, in samples; ``None`` where it is no key.

    Which one it is, is not told.
    """
    if len(payload) < 4 or payload[0] > MOST_EVENT:
        return None
    return int.from_bytes(payload[2:4], "big")
