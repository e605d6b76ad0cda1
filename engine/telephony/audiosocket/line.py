"""One call over AudioSocket, where its connection is: what the peer sends becomes frames for the engine, and the engine's sound
goes out on the beat.

Rules of the peer. Asterisk neither paces nor buffers, so sound goes out 20 ms at a time and can't be taken back. Older ones read
a frame's header a byte at a time and end the call where one is missing, so a frame is one write. They end it on any frame from us
but sound and hang-up, and take no notice of a connection that was closed without one. While a key is held, no sound comes at all.
Sound of kind 0x10 from us is taken for PCM at 8 kHz, whatever coding came from there.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from engine.core.audio import FRAME, AudioFrame
from engine.core.errors import MediaError
from engine.core.secrets import KEYS
from engine.telephony.apart.wire import Frame as Told
from engine.telephony.apart.wire import Kind as Telling
from engine.telephony.audiosocket.connection import Connection
from engine.telephony.audiosocket.frames import RATES, Frame, Kind
from engine.telephony.audiosocket.settings import AudioSocketSettings, Payload
from engine.telephony.audiosocket.wire import Closed
from engine.telephony.coding import G711, Coding, Linear
from engine.telephony.rate import MessageRate

_MOST_KEPT: Final = 500  # frames that wait for their moment: ten seconds; the engine is a fifth of one ahead
_G711_FRAME: Final = 160  # bytes: 20 ms
_CALLER_HUNG_UP: Final = b"\x01"  # what an error frame says of an end like any other
_PAD: Final = frozenset(KEYS.encode())  # Asterisk gives a fax's tone as a key "f", among others


class Line:
    """One call. Times are the event loop's."""

    def __init__(
        self,
        number: int,
        connection: Connection,
        tell: Callable[[Told], None],
        settings: AudioSocketSettings,
    ) -> None:
        self.over = asyncio.Event()
        """Nothing more is heard or said; the connection is then closed."""
        self._number = number
        self._connection = connection
        self._tell = tell
        self._settings = settings
        self._kind: int | None = None  # of the sound that comes in; unknown until some has
        self._hears: Coding | None = None  # what comes is what the engine wants
        self._speaks: Coding | None = None
        self._waiting: deque[bytes] = deque()
        self._due = 0.0  # when the next frame may go out
        self._good_bye = False  # behind what waits
        self._rate = MessageRate(time.monotonic())
        connection.attend(self._heard, self._ended)

    # What the engine says

    def send(self, pcm: bytes, now: float) -> None:
        """Say the next 20 ms: at once where nothing was said 20 ms ago, else on the beat."""
        if self._waiting or now < self._due:
            if len(self._waiting) < _MOST_KEPT:
                self._waiting.append(pcm)
        else:
            self._due = now + FRAME
            self._write(pcm)

    def beat(self, now: float) -> None:
        """Say what is due."""
        while self._waiting and self._due <= now:
            self._due += FRAME
            self._write(self._waiting.popleft())
        if self._good_bye and not self._waiting:
            self.over.set()

    def flush(self) -> None:
        """Forget what was not yet said."""
        self._waiting.clear()

    def hang_up(self) -> None:
        """End the call when all is said."""
        self._good_bye = True
        if not self._waiting:
            self.over.set()

    # What the peer sends

    def _heard(self, frame: Frame) -> None:
        """Take the peer's next frame."""
        if self.over.is_set():
            return
        try:
            self._rate.take(time.monotonic())
            self._take(frame)
        except MediaError as error:
            self._ended(error)

    def _ended(self, fault: MediaError | None) -> None:
        """The peer has gone, or does not speak AudioSocket."""
        if fault is None:
            self._close(Closed("hung_up"))
        else:
            self._close(Closed(MediaError.code, str(fault)))

    def _close(self, closed: Closed) -> None:
        if not self.over.is_set():
            self._tell(closed.frame(self._number))
            self._waiting.clear()
            self.over.set()

    def _take(self, frame: Frame) -> None:
        if frame.kind in RATES and frame.payload:
            self._tell(Told(Telling.SOUND, self._number, self._heard_in(frame)))
        elif frame.kind == Kind.KEY and frame.payload[0] in _PAD:
            self._tell(Told(Telling.KEY, self._number, frame.payload))
        elif frame.kind == Kind.UUID:
            raise MediaError("expected one name of a call, found a second one")
        elif frame.kind == Kind.ERROR and frame.payload not in (b"", _CALLER_HUNG_UP):
            self._close(Closed("hung_up", f"error 0x{frame.payload.hex()}"))
        elif frame.kind in (Kind.HANG_UP, Kind.ERROR):
            self._close(Closed("hung_up"))
        else:
            self._tell(Told(Telling.SOUND, self._number))

    def _heard_in(self, frame: Frame) -> bytes:
        """The sound as the engine wants it. PCM at 8 kHz is passed on as it is: so do nearly all frames of nearly all calls."""
        if frame.kind != self._kind:
            self._learn(frame)
        if self._hears is not None:
            return self._hears.decode(frame.payload).astype("<i2").tobytes()
        if len(frame.payload) % 2:
            raise MediaError(f"expected 16-bit samples, found {len(frame.payload)} bytes")
        return frame.payload

    def _learn(self, first: Frame) -> None:
        """Take it that sound comes and goes like this from now on."""
        self._kind = first.kind
        self._speaks = None if first.kind == Kind.SOUND else Linear(RATES[first.kind])
        self._hears = G711(self._settings.law) if self._is_g711(first) else self._speaks

    def _is_g711(self, first: Frame) -> bool:
        """Whether what comes is no PCM; Asterisk gives other codings the kind of 8 kHz."""
        if first.kind != Kind.SOUND or self._settings.payload is Payload.SLIN:
            return False
        return self._settings.payload is Payload.G711 or len(first.payload) == _G711_FRAME

    def _write(self, pcm: bytes) -> None:
        """Say it; a peer that takes nothing any more is gone."""
        if self._speaks is not None:
            pcm = self._speaks.encode(AudioFrame(np.frombuffer(pcm, "<i2").astype(np.int16)))
        kind = Kind.SOUND if self._kind is None else self._kind
        if pcm and not self._connection.send(Frame(kind, pcm)):  # an empty frame would end the call
            self._close(Closed("stalled"))
