"""A door's token: read from its file once, compared by its hash in constant time, in no log and no ``repr``.

A peer shows it as it can: ``Authorization: Bearer``, as the password of ``Authorization: Basic`` (Asterisk's websocket client
knows no other), as ``token`` in the address, or, on Twilio's dialect, as a custom parameter.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.requests import HTTPConnection

from engine.config.named_files import text_in
from engine.core.errors import ConfigError

SHORTEST: Final = 16  # characters; no one guesses them


class Token:
    """What peers must show; without one, nothing."""

    def __init__(self, text: str | None = None) -> None:
        self._hash = None if text is None else _hash(text)

    @classmethod
    def read(cls, setting: str, file: Path | None) -> Token:
        """Read it; no file means that none is asked for.

        Raises:
            ConfigError: the file can't be read, or what it holds is no token.
        """
        if file is None:
            return cls()
        text = text_in(setting, file)
        if len(text) < SHORTEST or not text.isascii() or not text.isprintable() or " " in text:
            raise ConfigError(f"{setting}: expected {SHORTEST} or more ASCII characters without a space in {file}, found others")
        return cls(text)

    @property
    def needed(self) -> bool:
        """Whether peers must show one."""
        return self._hash is not None

    def matches(self, shown: str | None) -> bool:
        """Whether what a peer shows is it, or none is needed."""
        return self._hash is None or (shown is not None and hmac.compare_digest(_hash(shown), self._hash))

    def shown_by(self, request: HTTPConnection) -> bool:
        """Whether a request shows it, in a header or in its address, or none is needed."""
        header = request.headers.get("authorization", "")
        return self.matches(in_header(header)) or self.matches(request.query_params.get("token"))


def in_header(authorization: str) -> str | None:
    """What an ``Authorization`` header shows, by any of its ways."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return None


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()
