"""Between a door's reader, which hears the peer, and the driver, which receives: sound in time, keys and the end of the call.

The reader puts in what arrives; :meth:`Inbox.receive` gives it out and fills silence by the clock. A driver that can take things
as they come has them delivered instead: that spares a task's step for every frame of every call. A peer that sends nothing at all
for ``LOST`` is gone: its network died without a word.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from engine.core.audio import Samples
from engine.core.errors import MediaError
from engine.core.secrets import KEYS
from engine.core.units import Seconds
from engine.telephony.clock import Timeline
from engine.telephony.leg import Gone, Incoming, Key, Sound

LOST: Final = Seconds(30.0)  # without a byte; the usual RTP timeout
MOST_KEYS: Final = 50  # in a second; a phone that dials by itself presses ten
Clock = Callable[[], float]
_KEY_CODES = frozenset(KEYS.encode())


class Inbox:
    """What a call's driver will receive, in order."""

    def __init__(self, clock: Clock = time.monotonic, lost: Seconds = LOST) -> None:
        self._clock = clock
        self._lost = lost
        self._timeline = Timeline(Seconds(clock()))
        self._heard_at = clock()
        self._waiting: deque[Incoming] = deque()
        self._pressed: deque[Seconds] = deque(maxlen=MOST_KEYS)
        self._gone: Gone | None = None
        self._news = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._deliver: Callable[[Incoming], None] | None = None
        self.fault: MediaError | None = None
        """What the peer did wrong, where that ended the call."""

    @property
    def closed(self) -> bool:
        """Whether the call has ended; what is put in now is dropped."""
        return self._gone is not None

    @property
    def now(self) -> Seconds:
        """The clock's time."""
        return Seconds(self._clock())

    def sound(self, samples: Samples) -> None:
        """Put in sound that has arrived (8 kHz, any length).

        Raises:
            MediaError: the peer sends faster than time passes.
        """
        self._put(*self._timeline.arrive(samples, self.now))

    def key(self, code: int) -> None:
        """Put in a key, by its ASCII code.

        Raises:
            MediaError: it is no key of the pad, or one of more than fingers can press; the message does not say which.
        """
        if code not in _KEY_CODES:
            raise MediaError("expected one of the sixteen keys of the pad, found another character")
        if len(self._pressed) == MOST_KEYS and self.now - self._pressed[0] < 1.0:
            raise MediaError(f"expected at most {MOST_KEYS} keys in a second, found more")
        self._pressed.append(self.now)
        self._put(Key(code))

    def alive(self) -> None:
        """Note that the peer said something that is no sound."""
        self._heard_at = self._clock()

    def end(self, reason: str, fault: MediaError | None = None) -> None:
        """End the call; the first reason stands."""
        if self._gone is None:
            self._gone, self.fault = Gone(reason), fault
            self._news.set()
            if self._alarm is not None:
                self._alarm.cancel()
            if self._deliver is not None:
                self._deliver(self._gone)

    def deliver(self, to: Callable[[Incoming], None]) -> None:
        """Hand over what has come, and from now on everything when it comes, ``Gone`` last; nobody calls ``receive`` any more."""
        self._deliver = to
        while self._waiting:
            to(self._waiting.popleft())
        if self._gone is not None:
            to(self._gone)
        elif self._alarm is None:
            self._set_alarm()

    async def receive(self) -> Incoming:
        """Give what comes next, or silence where that is due. Safe to cancel."""
        while not self._waiting:
            if self._gone is not None:
                return self._gone
            await self._wait()
            self._fill()
        return self._waiting.popleft()

    def _put(self, *incoming: Incoming) -> None:
        if self._gone is not None:
            return
        self._heard_at = self._clock()
        if self._deliver is None:
            self._waiting.extend(incoming)
            self._news.set()
            return
        for one in incoming:
            self._deliver(one)

    async def _wait(self) -> None:
        """Wait for news or for the moment when silence is due.

        The alarm that is set stands when sound comes first: it then finds that nothing is due, and the next wait sets it anew. So
        it costs a third of one for every frame.
        """
        self._news.clear()
        if self._alarm is None:
            self._set_alarm()
        await self._news.wait()

    def _set_alarm(self) -> None:
        due = max(0.0, self._timeline.deadline - self._clock())
        self._alarm = asyncio.get_running_loop().call_later(due, self._ring)

    def _ring(self) -> None:
        if self._clock() < self._timeline.deadline:  # sound has come since
            self._set_alarm()
            return
        # When the loop itself was late, the sound may lie unread: its reader goes first.
        asyncio.get_running_loop().call_soon(self._news.set if self._deliver is None else self._catch_up)
        self._alarm = None

    def _fill(self) -> None:
        if not self._waiting and (silence := self._silence()) is not None:
            self._waiting.append(silence)

    def _catch_up(self) -> None:
        while (silence := self._silence()) is not None:
            assert self._deliver is not None
            self._deliver(silence)
        if self._gone is None:
            self._set_alarm()

    def _silence(self) -> Sound | None:
        """A frame of it, where it is due."""
        if self._gone is None and self._clock() - self._heard_at > self._lost:
            self.end("lost")
        return None if self._gone is not None else self._timeline.fill(self.now)
