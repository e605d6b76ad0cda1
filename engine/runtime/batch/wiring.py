"""From the settings to what a run works with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine

from engine.config import Config, QualitySection
from engine.core.errors import ConfigError
from engine.core.units import Language, Seconds
from engine.qa.files import load_scorecard
from engine.qa.ledger import CardInForce, Wanted
from engine.runtime.batch.crew import Together
from engine.runtime.batch.hearer import FileHearerLoader
from engine.runtime.batch.local import LocalExecutor
from engine.runtime.batch.order import Order
from engine.runtime.batch.ray_executor import RayExecutor
from engine.runtime.batch.receiving import unanswered
from engine.runtime.batch.sources import EngineCalls, Inbox, SiprecCalls, Source
from engine.runtime.batch.work import Executor, Tier
from engine.store.keys import KeyFile, keys_of


def sources_of(config: Config, database: Engine) -> list[Source]:
    """Where recordings come from by the settings."""
    found: list[Source] = list(inboxes(config.qa.inboxes, config.qa))
    keys, recordings = keys_of(config.store.key_file), config.store.recordings
    if (received := unanswered(config.qa.folder, keys)) is not None:
        found.append(received)
    if recordings is not None and recordings.is_dir():
        found += [EngineCalls(database, recordings, keys)] if config.qa.calls else []
        found += [SiprecCalls(database, recordings, keys)] if config.qa.siprec else []
    return found


def inboxes(addresses: Sequence[str], settings: QualitySection) -> list[Inbox]:
    """Watched folders and stores."""
    return [Inbox(it, Seconds(settings.rest), "address" if "://" in it else "folder") for it in addresses]


def cards_of(settings: QualitySection, more: Sequence[Path] = ()) -> tuple[CardInForce, ...]:
    """The cards in force; ``more`` are meant for every call.

    Raises:
        ScorecardErrors: one can't be read or used.
        ConfigError: two are called the same.
    """
    cards = [CardInForce(load_scorecard(it.path), it.values) for it in settings.cards]
    cards += [CardInForce(load_scorecard(path)) for path in more]
    names = [it.card.name for it in cards]
    if twice := sorted({it for it in names if names.count(it) > 1}):
        raise ConfigError(f"expected one card of each name, found several called {', '.join(twice)}")
    return tuple(cards)


def order_of(settings: QualitySection, cards: Sequence[CardInForce], keys: KeyFile | None, *, again: bool, watch: bool) -> Order:
    """What a run is to do; ``again``: also hear again what another model heard."""
    tier = Tier(settings.tier)
    return Order(
        settings.folder,
        Wanted(cards, FileHearerLoader().model(tier) if again else None),
        tier,
        Language(settings.language) if settings.language else None,
        {queue: Language(language) for queue, language in settings.languages.items()},
        Seconds(settings.every),
        watch,
        keys,
    )


def executor_of(config: Config) -> Executor:
    """Who does the work.

    Raises:
        ConfigError: Ray is not installed, or its address is none; or there are no such keys.
    """
    settings, loader = config.qa, FileHearerLoader(keys=keys_of(config.store.key_file))
    if settings.executor == "ray":
        return RayExecutor(loader, settings.workers, settings.ray, together=Together())
    return LocalExecutor(loader, settings.workers, together=Together())
