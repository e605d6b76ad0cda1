"""Sends what is written to people after a call, through the bank's own adapters: signed posts over the outbox.

Rules:

* an adapter answers 200 to 299 when it has taken the message; 404, 409, 410 or 422 when this person can't be written to by this
  way: then the next way of the campaign is taken at once;
* whatever else it answers, or nothing, is tried again after 5 s, a minute, 5 and 30 minutes, 2 and 6 hours; then the next way;
* where no way is left, it is a dead letter, which ``callwright campaign followups`` lists.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from engine.config.outbound import WaySection
from engine.core.errors import EngineError
from engine.core.units import Seconds
from engine.runtime.quality.posting import Address, Answer, Came, Poster
from engine.runtime.quality.signing import Secrets
from engine.store.followups import FollowUps, receiver_of
from engine.store.outbox import Message, Outbox

_log = structlog.get_logger(__name__)
_AGAIN = tuple(timedelta(seconds=it) for it in (5, 60, 300, 1800, 2 * 3600, 6 * 3600))
_NOT_THIS_WAY = frozenset({404, 409, 410, 422})
_EVERY = Seconds(5.0)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to write to people."""

    name: str

    address: Address

    secrets: Secrets


def ways_of(sections: Mapping[str, WaySection]) -> Sequence[Way]:
    """The configured ways, their secrets read.

    Raises:
        ConfigError: an address or a secret can't be used.
    """
    return [_way(name, it) for name, it in sections.items()]


class WaySender:
    """Sends what goes one way."""

    def __init__(
        self, engine: Engine, follow_ups: FollowUps, way: Way, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._outbox, self._follow_ups, self._way, self._now = Outbox(engine), follow_ups, way, now

    def send_due(self) -> int:
        """Try everything that is due, once; gives how many were taken."""
        taken = 0
        with Poster(self._way.address) as poster:
            while (message := self._outbox.claim(receiver_of(self._way.name), self._now())) is not None:
                taken += self._send(poster, message)
        return taken

    def _send(self, poster: Poster, message: Message) -> bool:
        body = message.body.encode()
        answer = poster.post(body, self._way.secrets.headers(message.id, int(self._now().timestamp()), body))
        if answer.came is Came.TAKEN:
            self._outbox.sent(message)
        elif answer.status in _NOT_THIS_WAY or message.attempts >= len(_AGAIN):
            self._follow_ups.refused(message, answer.told, self._now())
            _log.info("follow_up.way_closed", way=self._way.name, message=message.id, found=answer.told)
        else:
            self._outbox.postponed(message, answer.told, self._now() + _wait(message, answer))
        return answer.came is Came.TAKEN


@contextmanager
def following_up(engine: Engine, sections: Mapping[str, WaySection], every: Seconds = _EVERY) -> Iterator[FollowUps]:
    """Plan and send meanwhile, in one thread; what is not sent in the end waits for the next time.

    Raises:
        ConfigError: an address or a secret can't be used.
    """
    ways = ways_of(sections)
    follow_ups = FollowUps(engine, [it.name for it in ways])
    senders = [WaySender(engine, follow_ups, it) for it in ways]
    over = threading.Event()
    thread = threading.Thread(target=_keep_going, args=(follow_ups, senders, over, every), name="follow-ups")
    thread.start()
    try:
        yield follow_ups
    finally:
        over.set()
        thread.join()


@asynccontextmanager
async def followed_up(engine: Engine, sections: Mapping[str, WaySection]) -> AsyncIterator[None]:
    """The same beside an event loop, which does not wait for an adapter in the end; without any way nothing is done.

    Raises:
        ConfigError: an address or a secret can't be used.
    """
    going = ExitStack()
    if sections:
        going.enter_context(following_up(engine, sections))
    try:
        yield
    finally:
        await asyncio.to_thread(going.close)


def _keep_going(follow_ups: FollowUps, senders: Sequence[WaySender], over: threading.Event, every: Seconds) -> None:
    """Until it is over, and once more then: who was called last is not forgotten."""
    last = False
    while not last:
        last = over.is_set()
        try:
            follow_ups.plan(datetime.now(UTC))
            for sender in senders:
                sender.send_due()
        except (SQLAlchemyError, EngineError) as error:  # the database is busy or gone, or another engine was first: begin again
            _log.warning("follow_up.again", error=type(error).__name__)
        if not last:
            over.wait(every)


def _wait(message: Message, answer: Answer) -> timedelta:
    return max(_AGAIN[message.attempts], answer.wait or timedelta(0))


def _way(name: str, section: WaySection) -> Way:
    setting = f"outbound.follow_up.{name}"
    address = Address.parse(
        f"{setting}.url", section.url, anywhere=section.anywhere, ca_file=section.ca_file, within=Seconds(section.within)
    )
    return Way(name, address, Secrets.read(f"{setting}.secret_file", section.secret_file))
