"""A call from Asterisk's ``chan_websocket`` (20.16, 21.11, 22.6, 23.0 and later); the server mounts it at ``/asterisk``.

Rules of the peer. It frames, paces and fills in silence itself, and takes back what it has not played (``FLUSH_MEDIA``): barge-in
is as good as on Twilio. Sound may come before ``MEDIA_START`` (asterisk#1712). Sound in other than whole frames is cut, so what a
resampler leaves over waits for the next one. Its queue can grow without a word and never shrink again (asterisk#2115): we send no
more than the lead ahead of our own clock, ask for its length once a second of speech, and throw it away above ``MOST_QUEUED``;
better a word is lost than that every answer comes late from now on. A call is ended with ``HANGUP``; the dialplan then goes on
behind ``Dial``, and asks where to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from engine.audio.g711 import Law
from engine.core.audio import FRAME, AudioFrame
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony import asterisk_ws_messages as wire
from engine.telephony.asterisk_ws_messages import Command
from engine.telephony.coding import G711, Linear
from engine.telephony.handover import Handover
from engine.telephony.inbox import Inbox
from engine.telephony.invited import invited
from engine.telephony.sockets import MessageSocket, SocketLeg, greeted, refuse

SUBPROTOCOL: Final = "media"
MOST_QUEUED: Final = Seconds(2.0)  # in Asterisk; its own limit is some 18 s
_ASK_EVERY: Final = 50  # frames: a second of speech
_MOST_EARLY: Final = 100  # messages before the start: two seconds of sound
_MOST_EARLY_BYTES: Final = 192_000  # the same at the highest rate

_log = structlog.get_logger(__name__)


class AsteriskLeg(SocketLeg):
    """One channel. Made by :meth:`accept`."""

    dialect = "Asterisk's chan_websocket"

    def __init__(
        self,
        socket: MessageSocket,
        start: wire.MediaStart,
        said: Mapping[str, str],
        early: Sequence[bytes],
        handover: Handover | None = None,
    ) -> None:
        self._start = start
        self._coding = G711(start.codec) if isinstance(start.codec, Law) else Linear(start.codec)
        self._unsent = bytearray()  # less than a frame
        self._wanted = True  # whether the peer takes sound
        self._spoken = 0  # frames
        self._queued = Seconds(0.0)  # in Asterisk, when it last said so
        facts = invited("asterisk", said, start.variables, name=start.channel)
        super().__init__(socket, facts, Inbox(), handover, early)

    @classmethod
    async def accept(cls, socket: MessageSocket, said: Mapping[str, str], handover: Handover | None = None) -> AsteriskLeg:
        """Wait for the start of the call and answer it; ``said`` is the address's query. Safe to cancel.

        Raises:
            MediaError: the peer sent something else, nothing in time, or went away; the socket is closed.
        """
        try:
            start, early = await greeted(_started(socket))
        except MediaError:
            await refuse(socket, cls.dialect)
            raise
        leg = cls(socket, start, said, early, handover)
        await leg._send(leg._command(Command.ANSWER))  # one that was answered already takes it again
        return leg

    async def send(self, frame: AudioFrame) -> None:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        if self._queued > MOST_QUEUED:
            _log.warning("asterisk.backlog", call=self.facts.id, queued_s=self._queued)
            self._queued = Seconds(0.0)
            await self.flush()
        await super().send(frame)
        self._spoken += 1
        if self._spoken % _ASK_EVERY == 0:
            await self._send(self._command(Command.GET_STATUS))

    def _understand(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._hear(message)
            return
        match wire.parse(message):
            case wire.DtmfEnd(code):
                self._inbox.key(code)
            case wire.MediaXoff():
                self._wanted = False
            case wire.MediaXon():
                self._wanted = True
            case wire.Status(queued):
                self._queued = Seconds(queued * FRAME)
            case wire.MediaStart():
                raise MediaError("expected one start of a call, found a second one")
            case wire.Other(event):
                _log.debug("asterisk.event", call=self.facts.id, event_name=event)

    def _hear(self, sound: bytes) -> None:
        if len(sound) > wire.LARGEST_MESSAGE:
            raise MediaError(f"expected at most {wire.LARGEST_MESSAGE} bytes of sound in a message, found {len(sound)}")
        self._inbox.sound(self._coding.decode(sound))

    def _sound(self, frame: AudioFrame) -> bytes | None:
        self._unsent += self._coding.encode(frame)
        whole = len(self._unsent) - len(self._unsent) % self._start.frame_bytes
        sound = bytes(self._unsent[:whole])
        del self._unsent[:whole]
        return sound if sound and self._wanted else None

    def _forget(self) -> str:
        self._unsent.clear()
        return self._command(Command.FLUSH_MEDIA)

    def _ending(self) -> str:
        return self._command(Command.HANGUP)

    def _command(self, command: Command) -> str:
        return command.written(as_json=self._start.as_json)


async def _started(socket: MessageSocket) -> tuple[wire.MediaStart, list[bytes]]:
    """Wait for the start; keep the sound that came before it."""
    early: list[bytes] = []
    while len(early) <= _MOST_EARLY and sum(map(len, early)) <= _MOST_EARLY_BYTES:
        message = await socket.receive()
        if isinstance(message, bytes):
            early.append(message)
            continue
        found = wire.parse(message)
        if not isinstance(found, wire.MediaStart):
            raise MediaError(f"expected MEDIA_START, found {type(found).__name__} before it")
        return found, early
    raise MediaError(f"expected MEDIA_START, found {len(early)} messages of sound before it")
