"""G.711, both laws: what a telephone line carries, as bytes of one octet a sample.

The tables follow the segments of ITU-T G.711, and round as Python's ``audioop`` did: the tests compare every input of both
directions with it.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.core.audio import Samples

_Table: TypeAlias = npt.NDArray[np.uint8]

_ULAW_BIAS = 33  # in 14-bit steps; G.711 table 2
_ULAW_CLIP = 8_158  # 8191 - 33: the largest magnitude that stays in the eighth segment
_ULAW_ENDS = (1 << np.arange(6, 14)) - 1  # last magnitude of each of the eight segments, bias included
_ALAW_ENDS = (1 << np.arange(5, 13)) - 1  # the same for the 13-bit A law


class Law(StrEnum):
    """Which companding law: mu-law in North America and Japan, A-law elsewhere."""

    ULAW = "ulaw"
    ALAW = "alaw"


def encode(samples: Samples, law: Law) -> bytes:
    """Compand int16 samples, shape ``(n,)``, to ``n`` octets."""
    return _encoding(law)[samples.view(np.uint16)].tobytes()


def decode(data: bytes | bytearray | memoryview, law: Law) -> Samples:
    """Expand octets to int16 samples, shape ``(len(data),)``."""
    return _decoding(law)[np.frombuffer(data, dtype=np.uint8)]


@cache
def _encoding(law: Law) -> _Table:
    """The octet of every int16, indexed by its bits read as uint16; shape ``(65536,)``."""
    linear = np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.int32)
    return _to_ulaw(linear) if law is Law.ULAW else _to_alaw(linear)


@cache
def _decoding(law: Law) -> Samples:
    """The int16 of every octet, shape ``(256,)``."""
    octets = np.arange(256, dtype=np.int32)
    return _from_ulaw(octets) if law is Law.ULAW else _from_alaw(octets)


def _to_ulaw(linear: npt.NDArray[np.int32]) -> _Table:
    coarse = linear >> 2  # 16 to 14 bits, rounding down as the reference does
    magnitude = np.minimum(np.abs(coarse), _ULAW_CLIP) + _ULAW_BIAS
    segment = np.searchsorted(_ULAW_ENDS, magnitude)
    octet = (segment << 4) | ((magnitude >> (segment + 1)) & 0x0F)
    table: _Table = (octet ^ np.where(coarse < 0, 0x7F, 0xFF)).astype(np.uint8)  # the line carries the bits inverted
    return table


def _to_alaw(linear: npt.NDArray[np.int32]) -> _Table:
    coarse = linear >> 3  # 16 to 13 bits
    magnitude = np.where(coarse < 0, -coarse - 1, coarse)
    segment = np.searchsorted(_ALAW_ENDS, magnitude)
    octet = (segment << 4) | ((magnitude >> np.maximum(segment, 1)) & 0x0F)
    table: _Table = (octet ^ np.where(coarse < 0, 0x55, 0xD5)).astype(np.uint8)  # every second bit is inverted on the line
    return table


def _from_ulaw(octets: npt.NDArray[np.int32]) -> Samples:
    bits = ~octets & 0xFF
    biased = (((bits & 0x0F) << 3) + (_ULAW_BIAS << 2)) << ((bits & 0x70) >> 4)
    magnitude = biased - (_ULAW_BIAS << 2)
    table: Samples = np.where(bits & 0x80, -magnitude, magnitude).astype(np.int16)
    return table


def _from_alaw(octets: npt.NDArray[np.int32]) -> Samples:
    bits = octets ^ 0x55
    segment = (bits & 0x70) >> 4
    mantissa = ((bits & 0x0F) << 4) + 0x08 + np.where(segment > 0, 0x100, 0)
    magnitude = mantissa << np.maximum(segment - 1, 0)
    table: Samples = np.where(bits & 0x80, magnitude, -magnitude).astype(np.int16)
    return table
