"""WebSockets as uvicorn has them, but for floods that no leg sees: pings, pieces of a message without an end, and what comes on
when we have said good-bye. Beyond :class:`engine.telephony.rate.MessageRate` the connection is cut.
"""

from __future__ import annotations

import time
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.rate import MessageRate
from engine.telephony.sockets import Goodbye

_GOOD_BYE: Final = Seconds(2.0)  # how long a peer may take to answer ours


class MeteredSocket(WebSocketsSansIOProtocol):
    """One socket."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._rate = MessageRate(time.monotonic())

        self.close_timeout = _GOOD_BYE

    def handle_ping(self) -> None:
        """Answer it."""
        if self._may():
            super().handle_ping()

    def handle_cont(self, event: Frame) -> None:
        """Put it to the piece before."""
        if self._may():
            super().handle_cont(event)

    def handle_text(self, event: Frame) -> None:
        """Pass it on."""
        if not self.close_sent or self._may():
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Pass it on."""
        if not self.close_sent or self._may():
            super().handle_bytes(event)

    def _may(self) -> bool:
        if self.transport.is_closing():
            return False
        try:
            self._rate.take(time.monotonic())
        except MediaError:
            self.conn.fail(Goodbye.REFUSED, "too many frames")
            self.handle_parser_exception()
            self.transport.abort()
            return False
        return True
