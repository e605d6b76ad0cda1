"""A call from FreeSWITCH, by ``mod_audio_stream`` or ``mod_audio_fork``; the server mounts it at ``/freeswitch``.

Rules of the peer. Sound comes as 16-bit little-endian PCM of the rate and channels that the dialplan chose, which the stream does
not say: the address or the metadata must (``rate``, ``channels``, ``reply``). Of two channels the first is the caller's.
``mod_audio_stream`` has no order to forget what it was sent, so the lead is the floor of barge-in; ``mod_audio_fork`` has one,
which spares what it has not yet gathered into 80 ms: silence pushes that out first.
When the socket closes, the channel stays where the dialplan left it: whoever parked it listens for ``transfer`` and
``disconnect``. Keys are in no message of its own: the dialplan sends them as text, or their tones are heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from engine.core.audio import AudioFormat, AudioFrame
from engine.core.errors import MediaError
from engine.telephony import freeswitch_messages as wire
from engine.telephony.coding import Linear
from engine.telephony.handover import Handover
from engine.telephony.inbox import Inbox
from engine.telephony.invited import invited
from engine.telephony.key_sources import KeySources
from engine.telephony.sockets import MessageSocket, SocketLeg, greeted, refuse

SUBPROTOCOL: Final = "audio.drachtio.org"
"""What ``mod_audio_fork`` offers; ``mod_audio_stream`` offers none."""


class FreeSwitchLeg(SocketLeg):
    """One stream. Made by :meth:`accept`."""

    dialect = "mod_audio_stream"

    def __init__(
        self, socket: MessageSocket, said: wire.Said, unread: Sequence[str | bytes], handover: Handover | None = None
    ) -> None:
        self._said = said
        self._format = AudioFormat(int(said.rate))
        self._coding = Linear(self._format)
        self._keys = KeySources(in_band=True)
        super().__init__(socket, invited("freeswitch", said.facts), Inbox(), handover, unread)

    @classmethod
    async def accept(cls, socket: MessageSocket, said: Mapping[str, str], handover: Handover | None = None) -> FreeSwitchLeg:
        """Wait for the metadata, or for sound where there is none; ``said`` is the address's query. Safe to cancel.

        Raises:
            MediaError: what is said of the call is wrong, nothing came in time, or the peer went away; the socket is closed.
        """
        try:
            first = await greeted(socket.receive())
            known = wire.said(said, None if isinstance(first, bytes) else first)
        except MediaError:
            await refuse(socket, cls.dialect)
            raise
        return cls(socket, known, [first], handover)  # it may be sound, and without metadata a key

    async def flush(self) -> None:
        """See :class:`engine.telephony.leg.Leg`. Not safe to cancel."""
        if self._said.reply is wire.Reply.BINARY:
            await self._send(wire.held_back(self._format.rate_hz))
        await super().flush()

    def _understand(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._hear(message)
        elif (code := wire.pressed(message)) is not None:
            self._press(self._keys.frame(code, self._inbox.now))

    def _hear(self, sound: bytes) -> None:
        if len(sound) > wire.LARGEST_SOUND:
            raise MediaError(f"expected at most {wire.LARGEST_SOUND} bytes of sound in a message, found {len(sound)}")
        samples = self._coding.decode(self._callers(sound))
        self._inbox.sound(samples)
        for code in self._keys.sound(samples, self._inbox.now):
            self._press(code)

    def _callers(self, sound: bytes) -> bytes:
        """The first channel of a stream of two."""
        if self._said.channels == "1":
            return sound
        if len(sound) % 4:
            raise MediaError(f"expected 16-bit samples of two channels, found {len(sound)} bytes")
        return np.frombuffer(sound, "<i2")[::2].tobytes()

    def _press(self, code: int | None) -> None:
        if code is not None:
            self._inbox.key(code)

    def _sound(self, frame: AudioFrame) -> str | bytes | None:
        pcm = self._coding.encode(frame)
        if self._said.reply is wire.Reply.BINARY:
            return pcm or None
        return wire.stream_audio(pcm, self._format.rate_hz) if pcm else None

    def _forget(self) -> str:
        return wire.KILL_AUDIO

    def _passing_on(self, destination: str, context: Mapping[str, str]) -> str:
        return wire.transfer(destination, context)

    def _ending(self) -> str:
        return wire.DISCONNECT
