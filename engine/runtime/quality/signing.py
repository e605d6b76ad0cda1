"""Signatures of webhooks, as Standard Webhooks 1.0.0 has them (symmetric, ``v1``): HMAC-SHA256 over ``id.timestamp.body``."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from engine.config.named_files import text_in
from engine.core.errors import ConfigError

PREFIX: Final = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes, as the standard has it


class Secrets:
    """What a receiver's messages are signed with; in no log and no ``repr``."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    @classmethod
    def read(cls, setting: str, file: Path) -> Secrets:
        """Read them, one a line.

        Raises:
            ConfigError: the file can't be read, or what it holds is no secret; the message does not show it.
        """
        lines = text_in(setting, file).split()
        if not lines:
            raise ConfigError(f"{setting}: expected a secret in {file}, found an empty file")
        return cls([_key(setting, file, line) for line in lines])

    def headers(self, id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """What goes with a message; ``timestamp`` is that of this attempt, in seconds since 1970."""
        signed = f"{id}.{timestamp}.".encode() + body
        signatures = [b64encode(hmac.digest(key, signed, sha256)).decode() for key in self._keys]
        return {
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(f"v1,{it}" for it in signatures),
        }


def _key(setting: str, file: Path, line: str) -> bytes:
    try:
        key = b64decode(line.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not line.startswith(PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        expected = f"{PREFIX} and base64 of {_SHORTEST} to {_LONGEST} bytes"
        raise ConfigError(f"{setting}: expected {expected} in {file}, found something else")
    return key
