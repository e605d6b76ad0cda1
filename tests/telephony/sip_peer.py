"""The shipped SIP telephone, and what only its tests say and look at."""

from __future__ import annotations

import hashlib
import re

from engine.testing.sip_peer import HOST, PATIENCE, Said, SipPeer, sip_peer

__all__ = ["HOST", "PATIENCE", "Said", "SipPeer", "digest", "options", "sip_peer"]


def options(transport: str) -> bytes:
    """A question over a connection."""
    return (
        f"OPTIONS sip:a@{HOST} SIP/2.0\r\nVia: SIP/2.0/{transport} {HOST}:9;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n".encode()
    )


def digest(said: Said, user: str, password: str, uri: str) -> str:
    """The Authorization that should have come back for our challenge (RFC 2617 without qop)."""
    nonce = re.search(r'nonce="([^"]+)"', said.headers["authorization"])
    assert nonce is not None
    secret = hashlib.md5(f"{user}:bank:{password}".encode()).hexdigest()
    asked = hashlib.md5(f"REGISTER:{uri}".encode()).hexdigest()
    return hashlib.md5(f"{secret}:{nonce[1]}:{asked}".encode()).hexdigest()
