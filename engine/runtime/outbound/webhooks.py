"""Tells the bank's own systems that calls have ended and what came of them: signed posts over the outbox, as quality control's
are (:mod:`engine.runtime.quality.webhooks`), with the same schedule of trying again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from sqlalchemy import Engine

from engine.config.outbound import OutcomesSection
from engine.runtime.going_on import beside_a_loop, going_on
from engine.runtime.quality.webhooks import Receiver, Sender
from engine.store.outbox import Outbox, receives
from engine.store.outcome_messages import OutcomeMessages, Told

_RECEIVER: Final = "outbound:"  # before a name, so that no receiver of scores is called the same


def outcome_receivers(sections: Mapping[str, OutcomesSection]) -> Sequence[Receiver]:
    """The configured receivers, their secrets read.

    Raises:
        ConfigError: an address or a secret can't be used.
    """
    return [Receiver.of(f"{_RECEIVER}{name}", f"outbound.webhooks.{name}", it) for name, it in sections.items()]


def outcomes_told(engine: Engine, sections: Mapping[str, OutcomesSection]) -> AbstractAsyncContextManager[None]:
    """Tell the configured receivers meanwhile, each by a thread of its own, and once more in the end.

    Raises:
        ConfigError: an address or a secret can't be used.
    """
    works = []
    for receiver, section in zip(outcome_receivers(sections), sections.values(), strict=True):
        receives(engine, receiver.name)
        sender = Sender(Outbox(engine), receiver)
        messages = OutcomeMessages(engine, receiver.name, [Told(it) for it in section.events])
        works.append(replace(sender.work, once=partial(_tell, messages, sender)))
    return beside_a_loop(going_on(works))


def _tell(messages: OutcomeMessages, sender: Sender) -> None:
    messages.plan(datetime.now(UTC))
    sender.send_due()
