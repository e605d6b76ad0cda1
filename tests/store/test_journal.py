from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.core.call import CallFacts, CallId
from engine.core.errors import ConfigError
from engine.core.units import Seconds
from engine.store import migrations
from engine.store.database import connect, upgrade
from engine.store.journal import CRASHED, Journal, JournalBroken, Step
from tests.databases import bare_store, store_in

CALL = CallId("call-1")


class _Flow:
    name = "bank"
    revision = "0" * 64


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    engine = connect(store_in(tmp_path))
    journal = Journal(engine)
    yield journal
    journal.close()


def begin(journal: Journal, call: CallId = CALL) -> None:
    journal.begin(CallFacts(call, "wav"), _Flow(), language=None, agents=False)


def test_steps_come_back_in_order_as_they_were_written(journal: Journal) -> None:
    begin(journal)
    steps = [Step(n, Seconds(n / 50), None if n % 2 else '{"event":"x"}', "[]") for n in range(50)]
    for step in steps:
        last = journal.append(CALL, step)
    last.result(5)

    assert journal.steps(CALL) == steps


async def test_a_call_that_stops_waiting_for_a_step_does_not_stop_the_journal(journal: Journal) -> None:
    begin(journal)
    steps = [Step(n, Seconds(n), None, "[]") for n in range(20)]
    for step in steps:
        asyncio.wrap_future(journal.append(CALL, step)).cancel()
        await asyncio.sleep(0)
    journal.append(CALL, Step(20, Seconds(20.0), None, "[]")).result(5)

    assert len(journal.steps(CALL)) == 21


def test_the_database_commits_through_to_the_disk(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/calls.db")
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2  # FULL


def test_nobody_else_on_the_machine_may_read_what_callers_said(tmp_path: Path) -> None:
    upgrade(connect(f"sqlite:///{tmp_path}/calls.db"))

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_upgrading_twice_changes_nothing(tmp_path: Path) -> None:
    engine = connect(bare_store(tmp_path))
    upgrade(engine)
    upgrade(engine)

    newest = max(path.name[:4] for path in Path(migrations.__path__[0]).glob("versions/0*.py"))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == newest


def test_an_address_that_is_none_is_the_operators_error() -> None:
    with pytest.raises(ConfigError, match="expected a database address"):
        connect("not an address")


def test_a_call_ends_once_with_its_first_outcome(journal: Journal) -> None:
    begin(journal)
    journal.end(CALL, "completed")
    journal.end(CALL, "hung_up").result(5)

    row = journal.call(CALL)
    assert row is not None
    assert row.outcome == "completed"


def test_calls_left_open_by_a_dead_engine_are_swept_up_once(journal: Journal) -> None:
    begin(journal)
    begin(journal, CallId("call-2"))
    journal.end(CALL, "completed").result(5)

    assert journal.sweep() == ["call-2"]
    assert journal.sweep() == []
    assert {row.id: row.outcome for row in journal.calls()} == {"call-1": "completed", "call-2": CRASHED}


def test_a_row_that_the_database_refuses_costs_no_other(journal: Journal) -> None:
    begin(journal)
    steps = [Step(number, Seconds(0), None, "[]") for number in (1, 2, 2, 3)]
    *_, second, twice, third = [journal.append(CALL, step) for step in steps]

    second.result(5)
    with pytest.raises(JournalBroken, match="a step of call-1"):
        twice.result(5)
    third.result(5)
    assert journal.healthy
    assert [step.number for step in journal.steps(CALL)] == [1, 2, 3]


WRITER = """
    import sys
    from engine.core.call import CallFacts, CallId
    from engine.core.units import Seconds
    from engine.store.database import connect
    from engine.store.journal import Journal, Step
    class Flow: name = "bank"; revision = "0"
    journal = Journal(connect(sys.argv[1]))
    journal.begin(CallFacts(CallId("c"), "wav"), Flow(), language=None, agents=False).result()
    n = 0
    while True:
        n += 1
        journal.append(CallId("c"), Step(n, Seconds(n), None, "[]")).result()
        print(n, flush=True)
"""


def test_every_acknowledged_step_survives_kill_9(tmp_path: Path) -> None:
    url = store_in(tmp_path)
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(WRITER), url], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(100)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]

    journal = Journal(connect(url))
    kept = [step.number for step in journal.steps(CallId("c"))]
    journal.close()
    assert set(acknowledged) <= set(kept)
    assert kept == list(range(1, len(kept) + 1))
