"""Sends what is in the outbox (``engine.store.outbox``) to the bank's own systems, signed, until each has taken it.

Rules:

* every receiver has a thread and a pace of its own: one that is slow or down costs the others nothing;
* what fails is tried again after 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h (the schedule of Standard Webhooks), give or take
  a tenth; then it is given up, which the status tells;
* after a failure the receiver is left alone for a while that doubles up to 5 minutes, so that a thousand waiting messages don't
  each wait for its silence;
* a status of 410 stops the receiver until somebody resumes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import SystemRandom

import structlog
from sqlalchemy import Engine

from engine.config.webhooks import PostedSection, WebhookSection
from engine.core.units import Seconds
from engine.qa.announcements import Occasion
from engine.runtime.going_on import Work, going_on
from engine.runtime.quality.posting import Address, Answer, Came, Poster
from engine.runtime.quality.signing import Secrets
from engine.store.outbox import Message, Outbox, subscribe

_log = structlog.get_logger(__name__)

_AGAIN = tuple(timedelta(seconds=it) for it in (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600))
_JITTER = 0.1
_SHORTEST_REST, _LONGEST_REST = Seconds(5.0), Seconds(300.0)
_KEPT = timedelta(days=30)  # messages that were sent; longer than anything is tried again


@dataclass(frozen=True, slots=True)
class Receiver:
    """One of the bank's systems."""

    name: str

    address: Address

    secrets: Secrets

    wants: Sequence[Occasion] = ()

    @classmethod
    def of(cls, name: str, setting: str, section: PostedSection, wants: Sequence[Occasion] = ()) -> Receiver:
        """One that is configured, its secrets read; ``setting`` is where it stands in the configuration.

        Raises:
            ConfigError: its address or a secret can't be used.
        """
        return cls(name, Address.of(setting, section), Secrets.read(f"{setting}.secret_file", section.secret_file), wants)


def receivers_of(sections: Mapping[str, WebhookSection]) -> list[Receiver]:
    """The configured receivers, their secrets read.

    Raises:
        ConfigError: an address or a secret can't be used.
    """
    return [
        Receiver.of(name, f"qa.webhooks.{name}", it, [Occasion(event) for event in it.events]) for name, it in sections.items()
    ]


def subscribed(engine: Engine, receivers: Sequence[Receiver]) -> Outbox:
    """Have the receivers told from now on; gives the outbox."""
    subscribe(engine, {it.name: it.wants for it in receivers})
    return Outbox(engine)


class Sender:
    """Sends one receiver's messages."""

    def __init__(self, outbox: Outbox, receiver: Receiver, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._outbox, self._receiver, self._now = outbox, receiver, now
        self._failures = 0  # in a row

    def send_due(self) -> int:
        """Send what is due, until something fails; gives how many were taken."""
        message = self._claim()
        if message is None:
            return 0
        taken = 0
        with Poster(self._receiver.address) as poster:
            while message and self._send(poster, message):
                taken += 1
                message = self._claim()
        return taken

    @property
    def work(self) -> Work:
        """Its sending, for a thread of its own."""
        return Work(f"webhook {self._receiver.name}", self.send_due, lambda: self.rest)

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failures > 0

    @property
    def rest(self) -> Seconds:
        """How long to leave the receiver alone."""
        return Seconds(min(_LONGEST_REST, _SHORTEST_REST * 2 ** min(max(0, self._failures - 1), 10)))

    def _claim(self) -> Message | None:
        return self._outbox.claim(self._receiver.name, self._now())

    def _send(self, poster: Poster, message: Message) -> bool:
        body = message.body.encode()
        answer = poster.post(body, self._receiver.secrets.headers(message.id, int(self._now().timestamp()), body))
        match answer.came:
            case Came.TAKEN:
                self._failures = 0
                self._outbox.sent(message)
            case Came.GONE:
                self._outbox.stop(self._receiver.name, answer.told)
                _log.warning("a receiver of webhooks is gone; nothing more is sent to it", receiver=self._receiver.name)
            case Came.FAILED:
                self._failures += 1
                self._postpone(message, answer)
        return answer.came is Came.TAKEN

    def _postpone(self, message: Message, answer: Answer) -> None:
        if message.attempts >= len(_AGAIN):
            self._outbox.given_up(message, answer.told)
            _log.warning("a webhook is given up", receiver=self._receiver.name, message=message.id, found=answer.told)
            return
        wait = max(_AGAIN[message.attempts] * SystemRandom().uniform(1 - _JITTER, 1 + _JITTER), answer.wait or timedelta(0))
        self._outbox.postponed(message, answer.told, self._now() + wait)


@contextmanager
def sending(engine: Engine, sections: Mapping[str, WebhookSection]) -> Iterator[None]:
    """Tell the configured receivers of everything that happens meanwhile; what is not sent in the end waits for the next sender.

    Raises:
        ConfigError: an address or a secret can't be used.
    """
    outbox = subscribed(engine, receivers := receivers_of(sections))
    outbox.forget(datetime.now(UTC) - _KEPT)
    with going_on([Sender(outbox, it).work for it in receivers]):
        yield
