"""Fixtures that all tests share."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests import databases
from tests.needs import missing

TESTDATA = Path(__file__).resolve().parents[2] / "shared" / "testdata"
LIVE = {
    "journeys": "engines of their own with models, talked to as people talk",
    "runtime/batch/test_local.py": "counts processes, and how soon they end",
    "runtime/test_calls_without_database.py": "twenty calls at once, while their database is away",
    "runtime/test_pool.py": "workers that hang if they do not answer within two seconds",
    "store/test_board.py": "many desks at once, and phrases that wait for seconds only",
    "store/test_board_killed.py": "phrases that wait a second and a half, while processes die",
    "store/test_journal_away.py": "twenty calls at once, while their database is killed or stands still",
    "telephony/test_sip.py": "a packet that is late is a hole in somebody's sound",
    "telephony/test_siprec_server.py": "sound of two telephones, compared moment by moment",
    "telephony/test_siprec_sipp.py": "packets of a recorded line at their own pace",
}
"""What keeps real time, or counts what runs on this machine, and why: no other such test runs beside it."""

NOT_LIVE = ("journeys/test_console.py", "journeys/test_outbound_kills.py", "journeys/test_trust.py")
"""Below them, but nobody speaks or hears: what is proved there must hold at whatever pace."""

os.environ["COLUMNS"] = "200"  # tables must not break where a folder's name is long


def pytest_addoption(parser: pytest.Parser) -> None:
    """Make the kind of database a choice."""
    told = "what tests write into that name no kind of database (default: %(default)s)"
    parser.addoption("--database", choices=databases.KINDS, default="sqlite", help=told)


def pytest_configure(config: pytest.Config) -> None:
    """Tell whom it concerns of the choice."""
    databases.chosen = config.getoption("--database")


def pytest_unconfigure() -> None:
    """Stop what runs for all tests."""
    databases.running.close()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Who asks for live tests alone need not wait until all others are read."""
    path = _below_tests(collection_path)
    if config.option.markexpr != "live" or not path.endswith(".py"):
        return None
    return None if _is_live(path) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make unit` runs one after the other."""
    for item in items:
        live = _is_live(_below_tests(item.path))
        if item.get_closest_marker("live") and not live:
            raise pytest.UsageError(f"expected {item.path} in LIVE of tests/conftest.py, found a mark of its own")
        if live:
            item.add_marker("live")


def _below_tests(path: Path) -> str:
    return path.relative_to(Path(__file__).parent).as_posix()


def _is_live(path: str) -> bool:
    return path.startswith(tuple(LIVE)) and path not in NOT_LIVE


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A verb that sets up the logs in this process binds them to a stderr that is closed with its test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module", autouse=True)
def _databases_go_with_their_module() -> Iterator[None]:
    before = databases.made()
    yield
    databases.drop(since=before)


@pytest.fixture(scope="session")
def testdata() -> Path:
    """The folder of real recordings and texts."""
    if not (TESTDATA / "manifest.jsonl").exists():
        missing("the shared test data")
    return TESTDATA


@pytest.fixture(scope="session")
def manifest(testdata: Path) -> Sequence[Mapping[str, Any]]:
    """One row a file; ``path`` is relative to ``testdata``."""
    return [json.loads(line) for line in (testdata / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
