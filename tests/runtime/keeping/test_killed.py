"""A run that is killed leaves no call half kept: the next one finishes what it had begun with."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
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
KILLS = 6
_RUN = """
import sys
from pathlib import Path
from engine.runtime.keeping.deleting import Keeping
from tests.runtime.keeping.made import NOW, a_bank
bank = a_bank(Path(sys.argv[1]), sys.argv[2])
keeping = Keeping.of(bank.config, bank.database)
print("begun", flush=True)
keeping.run(NOW)
"""


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
    root, url = bank.root, bank.config.store.database
    command = [sys.executable, "-c", _RUN, str(root), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after)  # anywhere in its work
        process.send_signal(signal.SIGKILL)


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
