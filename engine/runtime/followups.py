"""Sends what is written to people after a call, through the bank's own adapters: signed posts over the outbox.

Rules:

* an adapter answers 200 to 299 when it has taken the message; 404, 409, 410 or 422 when this person can't be written to by this
  way: then the next way of the campaign is taken at once;
* whatever else it answers, or nothing, is tried again after 5 s, a minute, 5 and 30 minutes, 2 and 6 hours; then the next way;
* where no way is left, it is a dead letter, which ``callwright campaign followups`` lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Engine

from engine.config.outbound import WaySection
from engine.core.units import Seconds
from engine.runtime.going_on import Work, beside_a_loop, going_on
from engine.runtime.quality.posting import Answer, Came, Poster
from engine.runtime.quality.webhooks import Receiver
from engine.store.followups import FollowUps, receiver_of
from engine.store.outbox import Message, Outbox

_log = structlog.get_logger(__name__)
_AGAIN = tuple(timedelta(seconds=it) for it in (5, 60, 300, 1800, 2 * 3600, 6 * 3600))
_NOT_THIS_WAY = frozenset({404, 409, 410, 422})
_EVERY = Seconds(5.0)


def ways_of(sections: Mapping[str, WaySection]) -> Sequence[Receiver]:
    """The configured ways, their secrets read.

    Raises:
        ConfigError: an address or a secret can't be used.
    """
    return [Receiver.of(name, f"outbound.follow_up.{name}", it) for name, it in sections.items()]


class WaySender:
    """Sends what goes one way."""

    def __init__(
        self, engine: Engine, follow_ups: FollowUps, way: Receiver, now: Callable[[], datetime] = lambda: datetime.now(UTC)
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
    with going_on([Work("follow-ups", partial(_follow_up, follow_ups, senders), lambda: every)]):
        yield follow_ups


def followed_up(engine: Engine, sections: Mapping[str, WaySection]) -> AbstractAsyncContextManager[None]:
    """The same beside an event loop, which does not wait for an adapter in the end; without any way nothing is done.

    Raises:
        ConfigError: an address or a secret can't be used.
    """
    return beside_a_loop(following_up(engine, sections) if sections else nullcontext())


def _follow_up(follow_ups: FollowUps, senders: Sequence[WaySender]) -> None:
    follow_ups.plan(datetime.now(UTC))
    for sender in senders:
        sender.send_due()


def _wait(message: Message, answer: Answer) -> timedelta:
    return max(_AGAIN[message.attempts], answer.wait or timedelta(0))
