"""Digits that must never be written down.

A :class:`SecretDigits` holds card numbers and PINs between the key event and the bank's host, in a page of its own that is zeroed
when it is closed. It has no text: its ``repr`` and ``str`` are ``•••``, and it refuses to be formatted with a specification,
pickled, copied or compared. Python strings can't be zeroed, so the digits are never one.

The page is kept out of swap and core dumps where the system lets us, and no child process is born with a copy of it.
"""

from __future__ import annotations

import sys
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, PAGESIZE, mmap
from types import TracebackType
from typing import NoReturn, Self

from engine.core.errors import PrivacyError

KEYS = "0123456789*#ABCD"  # ITU-T Q.23: the sixteen keys
MOST_DIGITS = 64
_MASK = "•••"
_ASCII_KEYS = frozenset(KEYS.encode())
_LOCKED = 0x2000 if sys.platform == "linux" else 0  # MAP_LOCKED, mmap(2)
_DONTDUMP, _WIPEONFORK = 16, 18  # madvise(2)


class SecretDigits:
    """A few keys that exist only until they are used. Use as a context manager, or call :meth:`close`."""

    __slots__ = ("_capacity", "_length", "_page")

    def __init__(self, capacity: int = MOST_DIGITS) -> None:
        self._page = _page()
        self._capacity = min(capacity, PAGESIZE)
        self._length = 0

    def push(self, key: int) -> None:
        """Add one key, given as its ASCII code, so that no string of it is ever made.

        Raises:
            PrivacyError: it is not a key of the pad, or the buffer is full; the message does not say which key.
        """
        if key not in _ASCII_KEYS:
            raise PrivacyError("expected one of the sixteen keys of the pad, found another byte")
        if self.full:
            raise PrivacyError(f"expected at most {self._capacity} secret digits, found one more")
        self._page[self._length] = key
        self._length += 1

    def __len__(self) -> int:
        return self._length

    @property
    def full(self) -> bool:
        """Whether no other key fits in."""
        return self._length == self._capacity

    def reveal(self) -> memoryview:
        """The digits in ASCII, to be written straight into the bank's request; a view that is zeroed with the page."""
        return memoryview(self._page)[: self._length].toreadonly()

    def passes_luhn(self) -> bool:
        """Whether the digits carry a correct check digit (ISO/IEC 7812-1, annex B)."""
        total = 0
        for place in range(self._length):  # by place: a slice would be a copy
            digit = self._page[self._length - 1 - place] - ord("0")
            if not 0 <= digit <= 9:
                return False
            doubled = digit * (1 + place % 2)
            total += doubled - 9 * (doubled > 9)
        return self._length > 0 and total % 10 == 0

    def close(self) -> None:
        """Zero the page; the digits are gone."""
        self._page[:] = bytes(PAGESIZE)
        self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return _MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return _MASK

    def _refuse(self, *_: object) -> NoReturn:
        raise PrivacyError("secret digits can't be pickled, copied, compared or hashed")

    __reduce__ = _refuse
    __reduce_ex__ = _refuse
    __copy__ = _refuse
    __deepcopy__ = _refuse
    __eq__ = _refuse
    __hash__ = _refuse


def _page() -> mmap:
    """A page of nobody else's: not swapped where the limit of locked memory allows, in no dump, empty in a child."""
    try:
        page = mmap(-1, PAGESIZE, flags=MAP_PRIVATE | MAP_ANONYMOUS | _LOCKED)
    except OSError:  # RLIMIT_MEMLOCK
        page = mmap(-1, PAGESIZE, flags=MAP_PRIVATE | MAP_ANONYMOUS)
    if sys.platform == "linux":
        page.madvise(_DONTDUMP)
        page.madvise(_WIPEONFORK)
    return page
