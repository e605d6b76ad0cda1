"""The process that deletes what is due while an engine runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from engine.config.quality import QualitySection
from engine.server.keeping import is_time, kept
from tests.databases import store_in
from tests.runtime.keeping.made import NOW, a_bank, a_call

NOON = datetime(2030, 6, 1, 12, 0, tzinfo=UTC)
AT = time(3, 30)


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, True), (NOON - timedelta(hours=8), False), (NOON - timedelta(hours=9), True), (NOON - timedelta(days=3), True),
    ],
)  # fmt: skip
def test_it_is_done_once_a_day_and_caught_up_with(last: datetime | None, due: bool) -> None:
    assert is_time(NOON, AT, last) is due


def test_before_its_hour_it_was_last_due_the_day_before() -> None:
    early = NOON.replace(hour=2)

    assert not is_time(early, AT, NOON - timedelta(days=1))
    assert is_time(early, AT, NOON - timedelta(days=2))


async def test_what_is_due_goes_while_an_engine_runs_and_is_told(tmp_path: Path) -> None:
    bank = a_bank(tmp_path, store_in(tmp_path))
    a_call(bank, "old", days=(NOW - datetime.now(UTC)).days + 100)
    a_call(bank, "new", days=(NOW - datetime.now(UTC)).days + 1)

    async with kept(bank.config), asyncio.timeout(90):
        while bank.rows()["calls"] == 2:  # noqa: ASYNC110 -- another process's doing has no event
            await asyncio.sleep(0.05)

    assert {it for it in bank.files() if "old" in it} == set()
    assert {it for it in bank.files() if "new" in it}


async def test_calls_that_are_kept_for_ever_need_no_process(tmp_path: Path) -> None:
    bank = a_bank(tmp_path, store_in(tmp_path), keeping=None, qa=QualitySection(folder=tmp_path))

    async with kept(bank.config):
        pass
