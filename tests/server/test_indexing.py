"""The process that keeps calls findable while an engine runs."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.config import Config
from engine.config.quality import QualitySection
from engine.config.sections import FlowSection, StoreSection
from engine.nlu.searching import terms
from engine.runtime.process import spawned
from engine.server.indexing import indexed
from engine.store.database import connect
from engine.store.finding import Finding, Wanted
from engine.testing.found_calls import Asked, Made, keep
from tests.databases import store_in
from tests.journeys.bank import SMALL_BANK

BEGAN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MADE = Made(BEGAN, [("caller", "I lost my card")], [Asked("greets", "?", "pass", 0)], {"agent": "ada"})


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        flow=FlowSection(path=SMALL_BANK, language=None),
        store=StoreSection(database=store_in(tmp_path)),
        qa=QualitySection(folder=tmp_path / "qa"),
    )


def children() -> set[int]:
    """Processes of ours that keep an index."""
    threads = Path("/proc/self/task").iterdir()
    born = {int(it) for thread in threads for it in (thread / "children").read_text(encoding="ascii").split()}
    return {it for it in born if "engine.server.indexing" in Path(f"/proc/{it}/cmdline").read_text(encoding="utf-8")}


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(90):
        while not happened():  # noqa: ASYNC110 -- another process's doing has no event
            await asyncio.sleep(0.05)


@pytest.fixture
async def kept_up(config: Config) -> AsyncIterator[None]:
    async with indexed(config):
        yield


@pytest.mark.usefixtures("kept_up")
async def test_a_call_that_is_settled_is_found_soon_and_not_by_this_process(config: Config) -> None:
    database = connect(config.store.database)
    content = keep(database, config.qa.folder, MADE)
    await until(lambda: list(Finding(database).calls(Wanted(terms("lost")))))

    assert [it.name for it in Finding(database).calls(Wanted(terms("lost card")))] == [content]
    assert len(children()) == 1


async def test_it_ends_with_the_doors(config: Config) -> None:
    async with indexed(config):
        await until(children)

    assert children() == set()


def test_it_ends_when_the_engine_is_gone_without_a_word(config: Config) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        process = spawned("from engine.server.indexing import main; main()", "index", theirs.fileno())
    ours.sendall(json.dumps([config.store.database, str(config.qa.folder), None]).encode() + b"\n")
    ours.close()

    assert process.wait(30) == 0


def test_an_engine_that_is_gone_before_it_said_anything_leaves_nothing() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        process = spawned("from engine.server.indexing import main; main()", "index", theirs.fileno())
    ours.close()

    assert process.wait(30) == 0
