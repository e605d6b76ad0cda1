"""What a door can't do by itself: name a call for ever, and ask the bank's telephony to pass one on."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping

from engine.core.call import CallFacts, CallId

Handover = Callable[[CallFacts, str, Mapping[str, str]], Awaitable[None]]
"""Asks the bank's telephony (Twilio's REST API, Asterisk's ARI) to redirect the call to a destination, with what is known.

Without one, the leg only ends the stream: the call goes on in the peer's own dialplan, behind the step that opened the stream."""

_UNSAFE = re.compile(r"[^A-Za-z0-9-]")


def new_call_id(peers: str = "") -> CallId:
    """Name a call: the peer's own name for it, cut down to what may name a file, and something of ours that makes it unique."""
    ours = uuid.uuid4().hex
    theirs = _UNSAFE.sub("", peers)[:48]
    return CallId(f"{theirs}-{ours[:8]}" if theirs else ours)


def phone_number(text: str | None) -> str | None:
    """Give a number a peer told us, or ``None`` where it is no E.164 number (ITU-T E.164: at most 15 digits)."""
    return text if text is not None and re.fullmatch(r"\+[0-9]{3,15}", text) else None
