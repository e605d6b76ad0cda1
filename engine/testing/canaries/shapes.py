"""What a number looks like in bytes, and where in them it stands.

Ten digits in a row of a number that was made up are taken for the number; those of another are the same once in some billions.
They are found

* as ASCII, close together or one in every 2, 3, 4 or 8 bytes, whatever stands between them: spaces, dashes, commas of a list,
  UTF-16, UTF-32, frames of a key each;
* as groups of four with one byte between them;
* twelve of them as the numbers 1 to 9 themselves, in items of 1, 2, 4 or 8 bytes, for small numbers are everywhere;
* twelve as packed decimals, either nibble first;
* as spoken: four or more number words;
* apart: in messages, lines or rows of one key each, read forth or back.

Numbers are made without a zero, so that memory full of zeros is passed over. One shorter than ten digits is in every large file
by chance: it is sought where it stands alone, or beside its name.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.core.secrets import SecretDigits

WINDOW: Final = 10  # digits
LONG_WINDOW: Final = 12  # digits; ten of them packed are five bytes, which are anywhere by chance
_BLOCK: Final = 1 << 20  # bytes at a time: what is computed of it stays in the cache
_OVERLAP: Final = 96  # bytes; twelve items of eight
_STRIDES: Final = (1, 2, 3, 4, 8)
_ITEMS: Final = (1, 2, 4, 8)
_FEWEST_WORDS: Final = 4
_WORDS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGITS: Final = frozenset("123456789")
_BEFORE_A_KEY: Final = (b"digit", b"key", b"Signal")
_ONE_KEY: Final = re.compile(rb"""["':=\s\\]{1,6}([0-9])(?![0-9])""")
_FRACTION: Final = re.compile(rb"(?<=[0-9])\.[0-9]+")  # of times and confidences

_TEN: Final = np.arange(WINDOW)
_TWELVE: Final = np.arange(LONG_WINDOW)

_Bytes = npt.NDArray[np.uint8]
_Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Rows:
    """All the rows of digits that are written one way."""

    shape: str
    begins: _Places
    numbers: _Places


@dataclass(frozen=True, slots=True, repr=False)
class Canary:
    """A number that was made up to be sought."""

    slot: str
    """What the flow calls it."""

    digits: str

    spoken: bool = False
    """Whether it is spoken too, so that words are sought."""

    def __repr__(self) -> str:
        return f"Canary({self.slot}, {len(self.digits)} digits)"

    @classmethod
    def made(cls, slot: str, length: int, *, luhn: bool = False, spoken: bool = False, never_of: str = "") -> Canary:
        """Make one up that is not of the digits ``never_of`` alone, unless these are all there are."""
        known = set(never_of) if not set(never_of) >= _DIGITS else set()
        while True:
            digits = "".join(str(1 + secrets.randbelow(9)) for _ in range(length))
            if set(digits) - known and (not luhn or _passes_luhn(digits)):
                return cls(slot, digits, spoken)

    def windows(self, length: int) -> list[int]:
        """So many digits in a row, everywhere in it, as numbers; none where it is shorter."""
        return [int(part) for part in _parts(self.digits, length)]


@dataclass(frozen=True, slots=True)
class Found:
    """A number is there."""

    slot: str
    """Which; its digits are not told again."""

    shape: str
    """How it is written."""

    place: int
    """In the bytes."""


@dataclass(slots=True)
class Shapes:
    """Seeks some numbers in bytes."""

    canaries: Sequence[Canary]
    _slots: dict[int, str] = field(init=False)
    _wanted: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        lengths = (WINDOW, LONG_WINDOW)
        self._slots = {window: canary.slot for canary in self.canaries for it in lengths for window in canary.windows(it)}
        self._wanted = np.array(sorted(self._slots), np.int64)

    def sought(self, octets: bytes) -> list[Found]:
        """Seek in a text, a file or a page, small enough to be read whole."""
        found = [*self.in_memory(octets), *self._alone(octets)]
        return sorted(set(found), key=lambda one: one.place)

    def in_memory(self, octets: bytes) -> list[Found]:
        """Seek what stands out among gigabytes of anything."""
        whole = np.frombuffer(octets, np.uint8)
        found = [one for start in range(0, len(whole), _BLOCK) for one in self._in_block(whole, start)]
        return [*found, *self._named(octets), *self._said(octets), *self._apart(octets)]

    def _in_block(self, whole: _Bytes, start: int) -> Iterator[Found]:
        block = whole[start : start + _BLOCK + _OVERLAP]
        if not self._slots or not block.any():
            return
        for row in _rows(block):
            nearest = np.minimum(np.searchsorted(self._wanted, row.numbers), len(self._wanted) - 1)
            for hit in np.flatnonzero(self._wanted[nearest] == row.numbers):
                if row.begins[hit] < _BLOCK:
                    yield Found(self._slots[int(row.numbers[hit])], row.shape, start + int(row.begins[hit]))

    def _said(self, octets: bytes) -> Iterator[Found]:
        for canary in self.canaries:
            for phrase in _phrases(canary.digits) if canary.spoken else ():
                yield from (Found(canary.slot, "spoken words", at) for at in _occurrences(octets, phrase))

    def _named(self, octets: bytes) -> Iterator[Found]:
        """Short ones, in the request to the bank's host or as a quoted text behind their name."""
        for canary in self.canaries:
            if len(canary.digits) < WINDOW:
                name, digits = canary.slot.encode(), canary.digits.encode()
                for written in (name + b"\0" + digits, name + b'":"' + digits, name + b'": "' + digits, name + b"=" + digits):
                    yield from (Found(canary.slot, "beside its name", at) for at in _occurrences(octets, written))

    def _alone(self, octets: bytes) -> Iterator[Found]:
        """Short ones, where no other digit stands beside them."""
        text = b" " + _FRACTION.sub(b".", octets) + b" "
        for canary in self.canaries:
            if len(canary.digits) < WINDOW:
                for at in _occurrences(text, canary.digits.encode()):
                    if text[at - 1] not in b"0123456789." and text[at + len(canary.digits)] not in b"0123456789":
                        yield Found(canary.slot, "alone", at - 1)

    def _apart(self, octets: bytes) -> Iterator[Found]:
        """One key a line or a message."""
        keys = keys_apart(octets)
        row = "".join(key for _, key in keys)
        for canary in self.canaries:
            parts = list(_parts(canary.digits, min(WINDOW, len(canary.digits))))
            forth = (row.find(part) for part in parts)
            back = (row.find(part[::-1]) for part in parts)  # as rows lie on a page of SQLite
            if (at := max(*forth, *back)) >= 0:
                yield Found(canary.slot, "apart", keys[at][0])


def keys_apart(octets: bytes) -> list[tuple[int, str]]:
    """Messages of one key each: where, and which."""
    heads = ((at + len(word)) for word in _BEFORE_A_KEY for at in _occurrences(octets, word))
    keys = (_ONE_KEY.match(octets, end) for end in heads)
    return sorted((key.start(1), key[1].decode()) for key in keys if key is not None)


def words_of(digits: str) -> str:
    """How somebody says it."""
    return " ".join(_WORDS[int(digit) - 1] for digit in digits)


def _rows(block: _Bytes) -> Iterator[_Rows]:
    """Whatever digits stand in a row."""
    ascii_digit = (block - np.uint8(ord("1"))) < 9
    begins = np.flatnonzero(ascii_digit)
    for stride in _STRIDES:
        yield _row("ASCII" if stride == 1 else f"ASCII, one in {stride} bytes", block, ascii_digit, begins, stride * _TEN)
    yield _row("ASCII in groups of four", block, ascii_digit, begins, np.array([0, 1, 2, 3, 5, 6, 7, 8, 10, 11]))
    number = (block - np.uint8(1)) < 9
    begins = np.flatnonzero(number)
    for stride in _ITEMS:
        yield _row(f"numbers of {stride} bytes", block, number, begins, stride * _TWELVE)
    if len(block) < LONG_WINDOW // 2:
        return
    high, low = block >> 4, block & np.uint8(15)
    packed = ((high - np.uint8(1)) < 9) & ((low - np.uint8(1)) < 9)
    rows = np.logical_and.reduce([packed[place : len(packed) - LONG_WINDOW // 2 + place] for place in range(LONG_WINDOW // 2)])
    begins = np.flatnonzero(rows)
    for name, pair in (("packed decimals", high * np.uint8(10) + low), ("packed decimals, swapped", low * np.uint8(10) + high)):
        yield _row(name, pair, packed, begins, np.arange(LONG_WINDOW // 2), base=100)


def _row(name: str, digits: _Bytes, flags: npt.NDArray[np.bool_], begins: _Places, offsets: _Places, base: int = 10) -> _Rows:
    """Where each of ``offsets`` from a beginning holds a digit, and the number they are."""
    begins = begins[: np.searchsorted(begins, len(digits) - offsets[-1])]
    for offset in offsets[1:]:
        begins = begins[flags[begins + offset]]
    found = digits[begins[:, None] + offsets].astype(np.int64)
    zero = 0 if base == 100 else ord("0") if name.startswith("ASCII") else 0
    return _Rows(name, begins, (found - zero) @ base ** np.arange(len(offsets) - 1, -1, -1))


def _occurrences(octets: bytes, wanted: bytes) -> Iterator[int]:
    at = octets.find(wanted)
    while at >= 0:
        yield at
        at = octets.find(wanted, at + 1)


def _phrases(digits: str) -> list[bytes]:
    return [words_of(part).encode() for part in _parts(digits, _FEWEST_WORDS)]


def _parts(digits: str, length: int) -> Iterable[str]:
    return (digits[place : place + length] for place in range(len(digits) - length + 1))


def _passes_luhn(digits: str) -> bool:
    with SecretDigits() as held:
        for digit in digits.encode():
            held.push(digit)
        return held.passes_luhn()
