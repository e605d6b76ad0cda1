"""Databases of both kinds, whatever the choice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from engine.store.database import connect
from tests.databases import KINDS, store_in


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database at the present schema."""
    engine = connect(store_in(tmp_path, request.param))
    yield engine
    engine.dispose()
