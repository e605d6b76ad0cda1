"""A call over Twilio Media Streams, or over what speaks its dialect; the server mounts it at ``/twilio``.

Twilio buffers what it is sent and plays it in real time, so ``clear`` must go out on every flush. It has no message that
transfers a call: see :data:`engine.telephony.handover.Handover`.
"""

from __future__ import annotations

from engine.core.audio import AudioFrame
from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.telephony import twilio_messages as wire
from engine.telephony.coding import G711
from engine.telephony.handover import Handover, new_call_id, phone_number
from engine.telephony.inbox import Inbox
from engine.telephony.sockets import MessageSocket, SocketLeg, greeted


class TwilioLeg(SocketLeg):
    """One stream. Made by :meth:`accept`."""

    def __init__(self, socket: MessageSocket, start: wire.Start, inbox: Inbox, handover: Handover | None = None) -> None:
        facts = CallFacts(
            id=new_call_id(start.call),
            door="twilio",
            caller_number=phone_number(start.caller),
            called_number=phone_number(start.called),
            flow=start.parameters.get("flow"),
        )
        self._start = start
        self._coding = G711(start.law)
        super().__init__(socket, facts, inbox, handover)

    @classmethod
    async def accept(cls, socket: MessageSocket, handover: Handover | None = None) -> TwilioLeg:
        """Wait for the start of the call. Safe to cancel.

        Raises:
            MediaError: the peer sent something else, nothing in time, or went away; the socket is closed.
        """
        try:
            return cls(socket, await greeted(_started(socket)), Inbox(), handover)
        except MediaError:
            await socket.close()
            raise

    def _understand(self, message: str | bytes) -> None:
        match wire.parse(_text(message)):
            case wire.Media(octets, inbound=True):
                self._inbox.sound(self._coding.decode(octets))
            case wire.Dtmf(code):
                self._inbox.key(code)
            case wire.Stop():
                self._inbox.end("hung_up")
            case wire.Start():
                raise MediaError("expected one start of a call, found a second one")
            case wire.Media() | wire.Connected() | wire.Mark() | wire.Other():
                pass

    def _sound(self, frame: AudioFrame) -> str:
        return wire.media(self._start, self._coding.encode(frame))

    def _forget(self) -> str:
        return wire.clear(self._start)


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
