"""An engine without models, and everybody who is known to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.store.house import House
from tests.server.doubles import EchoEngine, house_at


@pytest.fixture
def engine() -> EchoEngine:
    """It sends callers their own sound."""
    return EchoEngine()


@pytest.fixture
def house(engine: EchoEngine) -> Iterator[House]:
    """Its accounts and audit chain."""
    with house_at(engine.config.store.database) as house:
        yield house
