"""What baresip has to say, for the engine's log: warnings only, without names and numbers. Its SIP traces go nowhere."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable

from engine.telephony.sip import wire
from engine.telephony.sip.wire import Frame


def masked(text: str) -> str:
    """Take out of a line of the stack's what would name people: users of SIP addresses, and long numbers."""
    return re.sub(r"\d{6,}", "…", re.sub(r"(sips?|tel):[^@;,>\s]+", r"\1:…", text))[:500]


class _Forward(logging.Handler):
    def __init__(self, tell: Callable[[Frame], None], died: Callable[[], None] | None) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell
        self._died = died
        self._loop = asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        """Tell the engine, from whatever thread; what is critical to the stack is its end."""
        self._loop.call_soon_threadsafe(self._say, record.levelname.lower(), record.getMessage())

    def _say(self, level: str, text: str) -> None:
        self._tell(wire.Said(level, "sip.stack", masked(text)).frame())
        if level == "critical" and self._died is not None:
            self._died()


def forward_logs(tell: Callable[[Frame], None], died: Callable[[], None] | None) -> None:
    """Send the stack's warnings to the engine; its traces of SIP messages go nowhere."""
    stack = logging.getLogger("baresip")
    stack.addHandler(_Forward(tell, died))
    stack.propagate = False
    logging.getLogger("baresip.native.sip").disabled = True
