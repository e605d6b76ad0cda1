"""Numbers that sound carries unheard, so that every lost, doubled or strayed frame of a call can be counted.

A frame's mark and number lie in the last bits of its first 56 mu-law codes: 24 bits that begin every stamp, 8 bits of mark,
16 bits of number, 8 bits of check, most significant first. They survive whatever keeps the codes: mu-law over the line, 16-bit
PCM made of it, a gain of up to 1 %. They are found wherever they lie, so a frame that was cut or moved shows as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.core.audio import FRAME_SAMPLES

Codes: TypeAlias = npt.NDArray[np.uint8]
"""Mu-law, one octet a sample."""

_Numbers: TypeAlias = npt.NDArray[np.int64]

_HEAD, _MARK, _NUMBER, _CHECK = 24, 8, 16, 8  # bits
_BITS = _HEAD + _MARK + _NUMBER + _CHECK
_BEGINS = 0b1011_0011_1000_1111_0101_0010  # no shift of it begins like itself


@dataclass(frozen=True, slots=True)
class Found:
    """The stamps in a stretch of sound, in order; three arrays of one length."""

    places: _Numbers
    """In samples from the stretch's first one."""

    marks: _Numbers

    numbers: _Numbers


def stamped(carrier: Codes, mark: int, first: int = 0) -> Codes:
    """Stamp frames of mu-law, shape ``(frames, 160)``, with a mark (8 bits) and ascending numbers (16 bits)."""
    numbers = np.arange(first, first + len(carrier), dtype=np.int64)
    words = ((_BEGINS << _MARK | mark) << _NUMBER | numbers) << _CHECK | _checks(np.int64(mark), numbers)
    bits = words[:, None] >> np.arange(_BITS - 1, -1, -1) & 1
    frames = carrier.copy()
    there = frames[:, :_BITS]
    there[(there & 0x7E) == 0x7E] ^= 2  # the two codes about zero, which some decoders (libre's) do not take for exactly zero
    frames[:, :_BITS] = (there & 0xFE) | bits.astype(np.uint8)
    return frames


def found(codes: Codes) -> Found:
    """Find every stamp in mu-law, shape ``(n,)``."""
    bits = (codes & 1).astype(np.int64)
    places = _heads(bits)
    places = places[places + _BITS <= len(bits)]
    marks = _read(bits, places + _HEAD, _MARK)
    numbers = _read(bits, places + _HEAD + _MARK, _NUMBER)
    right = _read(bits, places + _HEAD + _MARK + _NUMBER, _CHECK) == _checks(marks, numbers)
    return Found(places[right], marks[right], numbers[right])


def hum(frames: int, level: float = 3_277.0) -> npt.NDArray[np.int16]:
    """Noise of a steady level (RMS of 16-bit samples; by default the -20 dBFS of a prompt), to carry stamps."""
    noise = np.random.default_rng(7).normal(0.0, 1.0, frames * FRAME_SAMPLES)
    scaled: npt.NDArray[np.int16] = np.round(noise * level / np.sqrt(np.mean(noise**2))).clip(-32_000, 32_000).astype(np.int16)
    return scaled


def _heads(bits: _Numbers) -> _Numbers:
    """Where the 24 bits stand that begin a stamp; each bit leaves a half of the places over."""
    places = np.arange(max(0, len(bits) - _HEAD + 1))
    for at in range(_HEAD):
        places = places[bits[places + at] == (_BEGINS >> (_HEAD - 1 - at) & 1)]
    return places


def _read(bits: _Numbers, places: _Numbers, width: int) -> _Numbers:
    value = np.zeros(len(places), np.int64)
    for at in range(width):
        value = value << 1 | bits[places + at]
    return value


def _checks(marks: _Numbers | np.int64, numbers: _Numbers) -> _Numbers:
    """Eight bits that a number off by a bit does not share."""
    checks: _Numbers = (numbers * 167 + marks * 59 + (numbers >> 8) * 29 + 91) & 0xFF
    return checks
