"""The journal while its database is killed, stands still, is held by another process, or has no room."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from engine.core.call import CallFacts, CallId
from engine.core.units import Seconds
from engine.store.database import connect, upgrade
from engine.store.journal import Journal, Standing, Step
from tests.conftest import missing
from tests.databases import store_in
from tests.store.own_postgres import OwnPostgres, own_postgres

CALLS = [CallId(f"call-{number}") for number in range(20)]
AWAY = 5.0  # seconds; with 30 the same happens for longer
PACE = 0.02  # seconds between two steps of each call


class _Flow:
    name = "bank"
    revision = "0" * 64


class Load:
    """Twenty calls that make a step each, whenever told."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.steps = 0
        self.acknowledged: list[Future[None]] = []
        for call in CALLS:
            journal.begin(CallFacts(call, "wav"), _Flow(), language=None, agents=False)

    def step(self) -> None:
        self.steps += 1
        step = Step(self.steps, Seconds(self.steps * PACE), '{"event":"Привет"}', "[]")
        self.acknowledged += [self.journal.append(call, step) for call in CALLS]

    def go_on(self, seconds: float) -> set[Standing]:
        """Step for so long; how the journal stood meanwhile."""
        end, seen = time.monotonic() + seconds, set()
        while time.monotonic() < end:
            self.step()
            seen.add(self.journal.standing)
            time.sleep(PACE)
        return seen

    def until(self, standing: Standing) -> None:
        end = time.monotonic() + 90.0  # a busy machine takes its time
        while self.journal.standing is not standing:
            assert time.monotonic() < end, self.journal.standing
            self.go_on(0.1)

    def finished(self) -> None:
        """Everything that was ever appended is kept, once and in order, and was acknowledged."""
        for call in CALLS:
            last = self.journal.end(call, "completed")
        last.result(10)
        self.journal.close()

        assert [waited.result(5) for waited in self.acknowledged] == [None] * self.steps * len(CALLS)
        for call in CALLS:
            assert [step.number for step in self.journal.steps(call)] == list(range(1, self.steps + 1))
        assert {row.outcome for row in self.journal.calls()} == {"completed"}


@pytest.fixture(scope="module")
def server() -> Iterator[OwnPostgres]:
    with own_postgres() as server:
        yield server


@pytest.fixture
def postgres(server: OwnPostgres) -> Iterator[Engine]:
    engine = connect(server.url)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE calls CASCADE"))
    yield engine
    engine.dispose()


@pytest.mark.slow
def test_a_postgresql_that_is_killed_costs_no_step_of_any_call(server: OwnPostgres, postgres: Engine, tmp_path: Path) -> None:
    load = Load(Journal(postgres, "me", tmp_path))
    load.go_on(0.5)
    server.kill()
    seen = load.go_on(AWAY)
    late = [waited for waited in load.acknowledged[: -10 * len(CALLS)] if not waited.done()]
    server.start()
    load.until(Standing.WELL)
    load.finished()

    assert Standing.ASIDE in seen
    assert late == []  # nobody waits for a database that is not there
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_postgresql_that_stands_still_costs_no_step_of_any_call(server: OwnPostgres, postgres: Engine, tmp_path: Path) -> None:
    load = Load(Journal(postgres, "me", tmp_path))
    load.go_on(0.5)
    server.freeze()
    seen = load.go_on(2 * AWAY)
    late = [waited for waited in load.acknowledged[: -int(4 / PACE) * len(CALLS)] if not waited.done()]
    server.thaw()
    load.until(Standing.WELL)
    load.finished()

    assert Standing.ASIDE in seen
    assert late == []  # an answer is overdue after 3 s, a connection after 2


@pytest.mark.slow
def test_an_engine_that_dies_while_the_database_is_away_leaves_its_calls_to_the_next(
    server: OwnPostgres, postgres: Engine, tmp_path: Path
) -> None:
    script = f"""
import sys, time
from tests.store.test_journal_away import *
load = Load(Journal(connect({server.url!r}), "dead", Path({str(tmp_path)!r})))
load.go_on(0.3)
print("going", flush=True)
load.until(Standing.ASIDE)
load.go_on(0.5)
load.acknowledged[-1].result(5)
print(load.steps, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == "going\n"
        server.kill()
        steps = next(int(line) for line in engine.stdout if line.strip().isdigit())
        engine.kill()
    server.start()
    journal = Journal(postgres, "next", tmp_path)
    end = time.monotonic() + 10
    while journal.standing is not Standing.WELL and time.monotonic() < end:
        time.sleep(0.05)
    kept = [[step.number for step in journal.steps(call)] for call in CALLS]
    journal.close()

    assert kept == [list(range(1, steps + 1))] * len(CALLS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_sqlite_that_another_process_holds_costs_no_step_of_any_call(tmp_path: Path) -> None:
    file = tmp_path / "calls.db"
    engine = connect(store_in(tmp_path, "sqlite"))
    load = Load(Journal(engine, "me", tmp_path / "aside"))
    load.go_on(0.2)
    held = f"import sqlite3, time; db = sqlite3.connect({str(file)!r}, isolation_level=None); db.execute('BEGIN IMMEDIATE'); print('held', flush=True); time.sleep(8)"
    with subprocess.Popen([sys.executable, "-c", held], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        seen = load.go_on(8.0)
    load.until(Standing.WELL)
    load.finished()

    assert Standing.ASIDE in seen


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 4 MB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "callwright", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode != 0:
        missing("a file system that may be mounted (root)")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_costs_no_step_once_there_is_room_again(small_disk: Path) -> None:
    engine = connect(f"sqlite:///{small_disk}/calls.db")
    upgrade(engine)
    load = Load(Journal(engine, "me", small_disk / "aside"))
    load.go_on(0.2)
    ballast = small_disk / "ballast"
    subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=4k"], check=False, stderr=subprocess.DEVNULL)
    load.until(Standing.FULL)
    waiting = load.journal.append(CALLS[0], Step(10**6, Seconds(0), None, "[]"))

    assert load.journal.healthy
    assert not waiting.done()
    ballast.unlink()
    load.until(Standing.WELL)
    waiting.result(5)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM steps WHERE number = 1000000"))
    load.finished()
