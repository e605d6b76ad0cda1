"""A call over Twilio Media Streams, or over what speaks its dialect (Telnyx, Exotel, Plivo); the server mounts it at ``/twilio``.

Twilio buffers what it is sent and plays it in real time, so ``clear`` must go out on every flush, and marks say what was played.
It has no message that transfers a call: see :data:`engine.telephony.handover.Handover`. It sends no headers and no query of ours:
who may come in shows the token as a custom parameter, in the start of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from engine.audio.g711 import Law
from engine.core.audio import AudioFormat, AudioFrame
from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.core.units import Language
from engine.telephony import twilio_messages as wire
from engine.telephony.coding import G711, Coding, Linear
from engine.telephony.handover import Handover, new_call_id, phone_number
from engine.telephony.inbox import Inbox
from engine.telephony.marks import Marks
from engine.telephony.sockets import Goodbye, MessageSocket, SocketLeg, greeted, refuse

_log = structlog.get_logger(__name__)
Admits = Callable[[Mapping[str, str]], bool]
"""Whether a call with these custom parameters may come in."""


def admit_all(_: Mapping[str, str]) -> bool:
    """Let every call in: the peer has shown who it is, or need not."""
    return True


class TwilioLeg(SocketLeg):
    """One stream. Made by :meth:`accept`."""

    dialect = "Twilio Media Streams"

    def __init__(self, socket: MessageSocket, start: wire.Start, inbox: Inbox, handover: Handover | None = None) -> None:
        said = start.parameters
        facts = CallFacts(
            id=new_call_id(start.call),
            door="twilio",
            caller_number=phone_number(start.caller),
            called_number=phone_number(start.called),
            peer_id=start.call or None,
            flow=said.get("flow") or None,
            language=Language(said["language"]) if said.get("language") else None,
        )
        self._start = start
        self._coding = _coding(start.sound)
        self._marks = Marks()
        super().__init__(socket, facts, inbox, handover)

    @classmethod
    async def accept(cls, socket: MessageSocket, handover: Handover | None = None, admits: Admits = admit_all) -> TwilioLeg:
        """Wait for the start of the call. Safe to cancel.

        Raises:
            MediaError: the peer sent something else, nothing in time, or went away, or is not admitted; the socket is closed.
        """
        try:
            start = await greeted(_started(socket))
        except MediaError:
            await refuse(socket, cls.dialect)
            raise
        if not admits(start.parameters):
            await socket.close(Goodbye.REFUSED, "expected this door's token in the custom parameter token")
            raise MediaError("expected this door's token in the custom parameter token, found none or another")
        return cls(socket, start, Inbox(), handover)

    @property
    def heard(self) -> float | None:
        """How much of what was sent the caller has heard, in seconds; ``None`` while the peer has not said."""
        return self._marks.heard

    async def send(self, frame: AudioFrame) -> None:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        await super().send(frame)
        if (name := self._marks.sent()) is not None:
            await self._send(wire.mark(self._start, name))

    async def flush(self) -> None:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        await super().flush()
        _log.debug("twilio.cleared", call=self.facts.id, heard=self._marks.heard, unheard=self._marks.unheard)
        self._marks.cleared()

    def _understand(self, message: str | bytes) -> None:
        match wire.parse(_text(message)):
            case wire.Media(octets, inbound=True):
                self._inbox.sound(self._coding.decode(octets))
            case wire.Dtmf(code):
                self._inbox.key(code)
            case wire.Mark(name):
                self._marks.came(name)
            case wire.Stop():
                self._inbox.end("hung_up")
            case wire.Start():
                raise MediaError("expected one start of a call, found a second one")
            case wire.Media() | wire.Connected() | wire.Other():
                pass

    def _sound(self, frame: AudioFrame) -> str:
        return wire.media(self._start, self._coding.encode(frame))

    def _forget(self) -> str:
        return wire.clear(self._start)


def _coding(sound: Law | wire.Pcm) -> Coding:
    if isinstance(sound, Law):
        return G711(sound)
    return Linear(AudioFormat(sound.rate_hz), big_endian=sound.big_endian)


async def _started(socket: MessageSocket) -> wire.Start:
    """Skip what may come before the start: the greeting, and events we do not know."""
    for _ in range(8):
        match wire.parse(_text(await socket.receive())):
            case wire.Start() as start:
                return start
            case wire.Connected() | wire.Other():
                continue
            case early:
                raise MediaError(f"expected the start of the call, found {type(early).__name__.lower()} before it")
    raise MediaError("expected the start of the call, found eight other events")


def _text(message: str | bytes) -> str:
    if isinstance(message, bytes):
        raise MediaError(f"expected JSON text, found a binary message of {len(message)} bytes")
    return message
