"""The phone in the browser: sound as binary messages, everything else as JSON text.

From the page: ``{"event": "start", "rate_hz": 8000 | 16000, "flow": ...}`` first, where it wants anything but 8 kHz; then binary
messages of 16-bit little-endian mono PCM, ``{"key": "5"}``, ``{"event": "hangup"}``.

To the page: ``{"event": "ready", "call": ...}`` once, sound in the same form, ``{"event": "clear"}`` (forget what was not yet
played), ``{"event": "transfer", "destination": ...}``, and whatever :meth:`BrowserLeg.show` is given.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.core.audio import AudioFormat, AudioFrame
from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.telephony.coding import Linear
from engine.telephony.handover import new_call_id
from engine.telephony.inbox import Inbox
from engine.telephony.sockets import MessageSocket, SocketLeg, greeted, refuse

MOST_CHARACTERS: Final = 4_096  # of a JSON message
MOST_BYTES: Final = 64_000  # of sound in one message: two seconds at 16 kHz


class _FromPage(BaseModel):
    """Every JSON message the page sends."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, str_max_length=128)

    event: Literal["start", "hangup"] | None = None
    rate_hz: Literal[8000, 16000] = 8000
    flow: str | None = None
    key: str | None = Field(None, min_length=1, max_length=1, pattern="[0-9*#A-D]")


class BrowserLeg(SocketLeg):
    """One page's call. Made by :meth:`accept`."""

    dialect = "the browser phone's messages"

    def __init__(self, socket: MessageSocket, start: _FromPage, unread: Sequence[bytes]) -> None:
        self._coding = Linear(AudioFormat(start.rate_hz))
        super().__init__(socket, CallFacts(id=new_call_id(), door="browser", flow=start.flow), Inbox(), unread=unread)
        self.all_shown: Callable[[], Awaitable[object]] | None = None
        """Awaited before the call is ended from this side: whoever shows things has the last word."""

    @classmethod
    async def accept(cls, socket: MessageSocket) -> BrowserLeg:
        """Wait for the page's first message; sound without a word before it is 8 kHz. Safe to cancel.

        Raises:
            MediaError: it is not what was agreed, did not come in time, or the page went away; the socket is closed.
        """
        try:
            first = await greeted(socket.receive())
            leg = cls(socket, _FromPage(), [first]) if isinstance(first, bytes) else cls(socket, _started(first), [])
        except MediaError:
            await refuse(socket, cls.dialect)
            raise
        await leg.show({"event": "ready", "call": leg.facts.id})
        return leg

    async def show(self, message: Mapping[str, Any]) -> None:
        """Send the page something to display, as JSON; dropped when the page is gone. Not safe to cancel."""
        await self._send(json.dumps(message))

    async def transfer(self, destination: str, context: Mapping[str, str]) -> bool:
        """Tell the page where the call would go now, and end it. Not safe to cancel."""
        await self.show({"event": "transfer", "destination": destination, "context": dict(context)})
        await self._show_all()
        return await super().transfer(destination, context)

    async def hang_up(self) -> None:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        await self._show_all()
        await super().hang_up()

    async def _show_all(self) -> None:
        if self.all_shown is not None and not self._inbox.closed:
            await self.all_shown()

    def _understand(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._hear(message)
            return
        said = _parsed(message)
        if said.event == "start":
            raise MediaError("expected one start of a call, found a second one")
        if said.key is not None:
            self._inbox.key(ord(said.key))
        if said.event == "hangup":
            self._inbox.end("hung_up")

    def _hear(self, sound: bytes) -> None:
        if len(sound) > MOST_BYTES:
            raise MediaError(f"expected at most {MOST_BYTES} bytes of sound in a message, found {len(sound)}")
        self._inbox.sound(self._coding.decode(sound))

    def _sound(self, frame: AudioFrame) -> bytes:
        return self._coding.encode(frame)

    def _forget(self) -> str:
        return '{"event":"clear"}'


def _started(message: str) -> _FromPage:
    said = _parsed(message)
    if said.event != "start":
        raise MediaError("expected the start of the call or sound, found another message before it")
    return said


def _parsed(message: str) -> _FromPage:
    if len(message) > MOST_CHARACTERS:
        raise MediaError(f"expected a message of at most {MOST_CHARACTERS} characters, found {len(message)}")
    try:
        return _FromPage.model_validate_json(message)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        raise MediaError(f"a message of the page, {'.'.join(map(str, wrong['loc'])) or 'as a whole'}: {wrong['msg']}") from None
