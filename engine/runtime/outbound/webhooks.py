"""Tells the bank's own systems that calls have ended and what came of them: signed posts over the outbox, as quality control's
are (:mod:`engine.runtime.quality.webhooks`), with the same schedule of trying again.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from engine.config.outbound import OutcomesSection
from engine.runtime.quality.webhooks import Receiver, Sender, receiver_of
from engine.store.outbox import Outbox, receives
from engine.store.outcome_messages import OutcomeMessages, Told

_log = structlog.get_logger(__name__)
_RECEIVER: Final = "outbound:"  # before a name, so that no receiver of scores is called the same


def outcome_receivers(sections: Mapping[str, OutcomesSection]) -> Sequence[Receiver]:
    """The configured receivers, their secrets read.

    Raises:
        ConfigError: an address or a secret can't be used.
    """
    return [receiver_of(f"{_RECEIVER}{name}", f"outbound.webhooks.{name}", it) for name, it in sections.items()]


@asynccontextmanager
async def outcomes_told(engine: Engine, sections: Mapping[str, OutcomesSection]) -> AsyncIterator[None]:
    """Tell the configured receivers meanwhile, each by a thread of its own, and once more in the end.

    Raises:
        ConfigError: an address or a secret can't be used.
    """
    over = threading.Event()
    threads = []
    for receiver, section in zip(outcome_receivers(sections), sections.values(), strict=True):
        receives(engine, receiver.name)
        messages = OutcomeMessages(engine, receiver.name, [Told(it) for it in section.events])
        work = (messages, Sender(Outbox(engine), receiver), over)
        threads.append(threading.Thread(target=_keep_telling, args=work, name=f"webhook {receiver.name}"))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            await asyncio.to_thread(thread.join)


def _keep_telling(messages: OutcomeMessages, sender: Sender, over: threading.Event) -> None:
    """Until it is over, and once more then: what came last is not left lying."""
    last = False
    while not last:
        last = over.is_set()
        try:
            messages.plan(datetime.now(UTC))
            sender.send_due()
        except SQLAlchemyError as error:  # the database is busy or gone, or another engine was first: begin again
            _log.warning("outcomes.again", error=type(error).__name__)
        if not last:
            over.wait(sender.rest)
