"""Hashes of passwords and of what machines and browsers show."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

# RFC 9106's second choice (64 MiB, three passes), but in one lane: a call must not wait because somebody signs in.
_ARGON: Final = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1, type=Type.ID)
_NOBODYS: Final = "$argon2id$v=19$m=65536,t=3,p=1$bm9ib2R5J3Mgc2FsdA$MIIRqgvgQbgj220jfp0MPA"  # costs the same, and fits nothing


def hashed(password: str) -> str:
    """Hash a password, with a salt of its own. Takes a tenth of a second and 64 MiB."""
    return _ARGON.hash(password)


def fits(password: str, hash_: str | None) -> bool:
    """Whether it is the one; where there is none to compare with, it takes as long to say no."""
    try:
        return _ARGON.verify(hash_ or _NOBODYS, password) and hash_ is not None
    except (VerificationError, InvalidHashError):
        return False


def is_worn(hash_: str) -> bool:
    """Whether it was made with another cost than is asked for now."""
    return _ARGON.check_needs_rehash(hash_)


def new_secret() -> str:
    """256 bits that nobody guesses, as text."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """Of a secret that is random itself: no salt or cost is needed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
