"""The run that ``bench.ledger`` kills: ``python -m bench.ledger_run FOLDER WORKERS``."""

from __future__ import annotations

import sys
from pathlib import Path

from sqlalchemy import Engine

from engine.core.units import Seconds
from engine.qa.card_file import parse_scorecard
from engine.qa.ledger import CardInForce, Wanted
from engine.runtime.batch.local import LocalExecutor
from engine.runtime.batch.order import Order
from engine.runtime.batch.run import Desk, Run
from engine.runtime.batch.sources import Inbox
from engine.runtime.batch.work import Executor
from engine.store.database import connect
from engine.testing.batch import InProcess, Notes, ReadingHearer

_CARD = "scorecard: made_up\nlanguages: [en]\nquestions: [{id: greets, check: {exists: {say: good morning, by: agent}}}]\n"


def card() -> CardInForce:
    """The card that all are scored by."""
    return CardInForce(parse_scorecard(_CARD, "made_up.yaml"))


def database(folder: Path) -> Engine:
    """The trial's database."""
    return connect(f"sqlite:///{folder}/ledger.db")


def work_off(folder: Path, workers: int) -> None:
    """Work off the folder ``in``; without workers this process hears by itself."""
    hearer = ReadingHearer(dies=workers > 0)
    executor: Executor = LocalExecutor(hearer, workers) if workers else InProcess(hearer)
    sources = [Inbox(str(folder / "in"), rest=Seconds(0.0))]
    with executor:
        Run(Desk(database(folder), sources, executor, Notes()), Order(folder / "qa", Wanted([card()]))).work_off()


if __name__ == "__main__":
    work_off(Path(sys.argv[1]), int(sys.argv[2]))
