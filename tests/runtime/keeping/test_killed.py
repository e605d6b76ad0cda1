"""A run that is killed leaves no call half kept: the next one finishes what it had begun with."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.runtime.keeping.deleting import Keeping
from engine.store.account import account
from engine.store.keeping_models import ReducedCallRow
from engine.store.models import CallRow
from tests.databases import KINDS, store_in
from tests.runtime.keeping.made import NOW, Bank, a_bank, a_call

CALLS = 12
KILLS = 8


@pytest.fixture(params=KINDS)
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bank]:
    made = a_bank(tmp_path, store_in(tmp_path, request.param))
    for number in range(CALLS):
        a_call(made, f"call{number:02}", days=100)
    yield made
    made.database.dispose()


def begun(bank: Bank) -> set[str]:
    with Session(bank.database) as session:
        return set(session.scalars(select(ReducedCallRow.name).where(ReducedCallRow.done.is_(False))))


def kept(bank: Bank) -> set[str]:
    with Session(bank.database) as session:
        return set(session.scalars(select(CallRow.id)))


def killed_run(bank: Bank, after: float) -> None:
    """In a process that shares nothing but the files and the server; forked, for a new interpreter takes seconds to begin."""
    begins, told = os.pipe()
    child = os.fork()
    if child == 0:
        own = a_bank(bank.root, bank.config.store.database)
        keeping = Keeping.of(own.config, own.database)
        keeping.run(NOW, dry=True)
        os.write(told, b".")
        keeping.run(NOW)
        os._exit(0)
    os.read(begins, 1)
    time.sleep(after)  # anywhere in its work
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(begins)
    os.close(told)


def test_whenever_a_run_is_killed_every_call_is_whole_begun_with_or_gone(bank: Bank) -> None:
    chance = random.Random(20300601)
    for _ in range(KILLS):
        killed_run(bank, chance.uniform(0.0, 0.4))
        whole = kept(bank) - begun(bank)
        files = bank.files()
        assert all(f"recordings/{it}.wav" in files and f"phrases/{it}-1.wav" in files for it in whole)
        assert len(whole) == bank.rows()["assist_labels"] - len(begun(bank))

    done = Keeping.of(bank.config, bank.database).run(NOW)

    assert done.in_hand == 0
    assert bank.files() == set()
    assert set(bank.rows().values()) == {0}
    assert bank.states() == ["erased"] * CALLS
    assert not account(bank.database, (), bank.config.qa.folder, NOW).disagreements
