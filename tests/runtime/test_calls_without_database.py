"""Whole calls, twenty at a time, while PostgreSQL is killed and comes back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from engine.dialogue.codec import to_json
from engine.ivr.files import load_flow
from engine.store.database import connect, upgrade
from engine.store.journal import Journal, Standing
from engine.testing.parts import understood
from tests.runtime.stage import Stage
from tests.store.own_postgres import own_postgres

SMALL_BANK = Path(__file__).parents[1] / "journeys" / "small_bank.yaml"
AT_ONCE = 20
AWAY = 4.0  # seconds


@pytest.mark.slow
async def test_a_database_that_is_killed_drops_no_call_and_loses_no_step(tmp_path: Path) -> None:
    flow = load_flow(SMALL_BANK)
    with own_postgres() as server:
        upgrade(engine := connect(server.url))
        journal = Journal(engine, "me", tmp_path / "aside")
        calls: list[Stage] = []

        async def one_after_the_other(until: float) -> list[str]:
            outcomes = []
            while time.monotonic() < until:
                (folder := tmp_path / f"{len(calls)}").mkdir()
                calls.append(call := Stage(flow, journal, folder, [understood("I lost my card", "lost_card")]))
                outcomes.append(await call.play((1.0, 2.0)))
            return outcomes

        asyncio.get_running_loop().call_later(0.5, server.kill)
        outcomes = await asyncio.gather(*(one_after_the_other(time.monotonic() + 0.5 + AWAY) for _ in range(AT_ONCE)))
        stood = journal.standing
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(20.0):
            while journal.standing is not Standing.WELL:  # noqa: ASYNC110 -- it is told by another thread
                await asyncio.sleep(0.05)
        journal.close()
        kept = [[step.event for step in journal.steps(call.facts.id)] for call in calls]
        rows = {row.id: row.outcome for row in journal.calls()}
        engine.dispose()

    assert stood is Standing.ASIDE
    assert {one for line in outcomes for one in line} == {"transferred"}
    assert rows == {call.facts.id: "transferred" for call in calls}
    assert kept == [[event and to_json(event) for event in call.seen.events] for call in calls]
    assert len(calls) >= AT_ONCE
