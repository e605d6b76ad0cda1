"""What baresip has to say, for the engine's log: warnings only, without names and numbers, and not too many of them.

Its traces of SIP messages go nowhere: they would hold keys.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from typing import Final

from engine.telephony.apart.wire import Frame, Said

_WINDOW: Final = 10.0  # seconds
_OF_NO_ACCOUNT: Final = (
    "invalid ts_arrive header",
)  # a first packet that comes at its clock's very zero is dropped, and said so
_MOST: Final = 20  # lines in a window; whoever floods us must not flood the log


def masked(text: str) -> str:
    """Take out of a line of the stack's what would name people: users of SIP addresses, and long numbers."""
    return re.sub(r"\d{6,}", "…", re.sub(r"(sips?|tel):[^@;,>\s]+", r"\1:…", text))[:500]


class Allowance:
    """How many lines may still be said. The time comes as an argument, in seconds of any one clock."""

    def __init__(self) -> None:
        self._since = 0.0
        self._said = 0

    def take(self, now: float) -> int | None:
        """Ask to say a line: how many were left unsaid before it, or ``None`` to leave it unsaid too."""
        unsaid = 0
        if now - self._since >= _WINDOW:
            unsaid = max(0, self._said - _MOST)
            self._since, self._said = now, 0
        self._said += 1
        return unsaid if self._said <= _MOST else None


class _Forward(logging.Handler):
    def __init__(self, tell: Callable[[Frame], None], died: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell
        self._died = died
        self._loop = asyncio.get_running_loop()
        self._allowance = Allowance()

    def emit(self, record: logging.LogRecord) -> None:
        """Tell the engine, from whatever thread; what is critical to the stack is its end."""
        if record.levelno >= logging.CRITICAL:
            self._loop.call_soon_threadsafe(self._died)
        text = record.getMessage()
        if any(known in text for known in _OF_NO_ACCOUNT):
            return
        unsaid = self._allowance.take(time.monotonic())
        if unsaid is not None:
            more = f" ({unsaid} lines before it left out)" if unsaid else ""
            said = Said(record.levelname.lower(), "sip.stack", masked(text) + more)
            self._loop.call_soon_threadsafe(self._tell, said.frame())


def forward_logs(tell: Callable[[Frame], None], died: Callable[[], None]) -> None:
    """Send the stack's warnings to the engine."""
    stack = logging.getLogger("baresip")
    stack.addHandler(_Forward(tell, died))
    stack.propagate = False
    logging.getLogger("baresip.native.sip").disabled = True
