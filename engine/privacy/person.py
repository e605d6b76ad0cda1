"""One person, as files and tables name them: a telephone number in all its spellings, or the bank's key.

A number is found with and without its country's code, behind ``+``, ``00``, ``8`` or ``0``, with spaces, dashes, dots and
brackets between its digits. A key is found where it stands alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import phonenumbers

_BETWEEN: Final = r"[\s().\-/\u00a0\u2010-\u2015]{0,3}"
_BETWEEN_BYTES: Final = rb"(?:[\s().\-/]|\xc2\xa0|\xe2\x80[\x90-\x95]){0,3}"
_LONG: Final = 9  # digits that stand in other digits by chance once in a billion places
_BEFORE: Final = r"(?:\+|00|011|810|8|0)?"


@dataclass(frozen=True)
class Person:
    """Somebody, by one of their names."""

    subject: str = field(repr=False)
    """A number in E.164, or the bank's key."""

    @classmethod
    def of(cls, written: str) -> Person:
        """By what was written."""
        return cls(written.strip())

    @cached_property
    def digits(self) -> tuple[str, str] | None:
        """The number's, whole and without its country's code; ``None`` where it is a key."""
        if not re.fullmatch(r"\+\d{7,15}", self.subject):
            return None
        try:
            national = str(phonenumbers.parse(self.subject).national_number)
        except phonenumbers.NumberParseException:
            national = self.subject[1:]
        return self.subject[1:], national

    def is_named_in(self, text: str) -> bool:
        """Whether a short text, a number, an address, a file's name, names them."""
        return self._pattern.search(text) is not None

    @cached_property
    def octets(self) -> re.Pattern[bytes]:
        """What to seek in files: there other digits may stand just beside."""
        if self.digits is None:
            return re.compile(rb"(?<![0-9A-Za-z])" + re.escape(self.subject.encode()) + rb"(?![0-9A-Za-z])")
        whole, national = self.digits
        sought = national if len(national) >= _LONG else whole
        return re.compile(_BETWEEN_BYTES.join(it.encode() for it in sought))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        if self.digits is None:
            return re.compile(rf"(?<!\w){re.escape(self.subject)}(?!\w)", re.IGNORECASE)
        either = "|".join(_BETWEEN.join(it) for it in self.digits if len(it) >= 7)
        return re.compile(rf"(?<!\d){_BEFORE}{_BETWEEN}(?:{either})(?!\d)")
