"""What a password must be, as NIST SP 800-63B-4 (3.1.1) has it: long rather than mixed, not known to everybody, never due."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Final

SHORTEST: Final = 12  # characters
LONGEST: Final = 128  # a hash of a megabyte would be an attack on us
_KNOWN: Final = ("password", "passw0rd", "qwerty", "callwright", "letmein", "welcome", "iloveyou", "пароль", "йцукен", "密码")
_LEAST_DIFFERENT: Final = 5  # characters


class Fault(StrEnum):
    """Why a password is none."""

    SHORT = "short"
    LONG = "long"
    NAME = "name"
    """It is made of the name."""
    KNOWN = "known"
    """Everybody would try it."""


def fault(password: str, name: str) -> Fault | None:
    """What is wrong with it, or ``None``."""
    plain = password.casefold()
    if len(password) < SHORTEST:
        return Fault.SHORT
    if len(password) > LONGEST:
        return Fault.LONG
    if len(plain.replace(name.casefold(), "")) < _LEAST_DIFFERENT:
        return Fault.NAME
    return Fault.KNOWN if _is_known(plain) else None


def _is_known(plain: str) -> bool:
    """Few different characters, a row of neighbours or a pattern, or a word that leads every list with something hung on."""
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    worn = any(len(plain.replace(word, "")) < _LEAST_DIFFERENT for word in _KNOWN)
    return len(set(plain)) < _LEAST_DIFFERENT or len(steps) <= 2 or worn
