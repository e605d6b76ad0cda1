"""What a caller hears, on its way into baresip's buffer, which baresip's own thread empties 20 ms at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Final

from baresip import BaresipError, CallAudio

_LOOK_AGAIN: Final = 0.005  # seconds; the thread flushes at its next 20 ms
_MOST_LOOKS: Final = 20
_MOST_KEPT: Final = 50  # frames that wait for a flush to be over


class Outgoing:
    """One call's. After a flush it waits until the thread has done it: what is written before is thrown away as well."""

    def __init__(self, audio: CallAudio) -> None:
        self._audio = audio
        self._kept: deque[bytes] = deque(maxlen=_MOST_KEPT)
        self._looks = 0  # still to be taken at a flush in progress

    def send(self, pcm: bytes) -> None:
        """Put in the next sound; where there is no stream (held, being renegotiated) it is lost, as time goes on."""
        if self._looks:
            self._kept.append(pcm)
        else:
            self._write(pcm)

    def flush(self) -> None:
        """Throw away what was not yet sent."""
        self._kept.clear()
        if self._looks == 0 and self._buffered:
            try:
                self._audio.flush_tx()
            except BaresipError:
                return
            self._looks = _MOST_LOOKS
            self._look_later()

    @property
    def _buffered(self) -> int:
        try:
            return int(self._audio.info().tx_buffered)
        except BaresipError:
            return 0

    def _write(self, pcm: bytes) -> None:
        with contextlib.suppress(BaresipError):
            self._audio.write(pcm)

    def _look_later(self) -> None:
        asyncio.get_running_loop().call_later(_LOOK_AGAIN, self._look)

    def _look(self) -> None:
        self._looks -= 1
        if self._looks and self._buffered:
            self._look_later()
            return
        self._looks = 0
        while self._kept:
            self._write(self._kept.popleft())
