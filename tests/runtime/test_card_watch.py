"""A card beside a call in progress: by its journal so far, worked out in a process of its own."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from engine.core.call import CallFacts, CallId
from engine.core.errors import ConfigError
from engine.core.units import Seconds
from engine.dialogue.codec import to_json
from engine.ivr.files import load_flow
from engine.qa.monitor import Standing
from engine.runtime.card_watch import CardWatch, SoFar, stands
from engine.runtime.live import Happened, LiveCall
from engine.store.database import connect
from engine.store.models import CallRow, StepRow
from tests.databases import store_in
from tests.screens import ROOT, steps

CALL = CallId("0" * 32)
CARD = ROOT / "examples" / "bank" / "scorecards" / "inbound_service.yaml"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    address = store_in(tmp_path)
    flow, made = load_flow(ROOT / "examples" / "bank" / "flow.yaml"), connect(address)
    with Session(made) as session, session.begin():
        session.add(
            CallRow(
                id=CALL, door="sip", direction="inbound", flow=flow.name, flow_revision=flow.revision, agents=False, language="en",
                started_at=datetime.now(UTC),
            )
        )  # fmt: skip
        session.flush()
        for place, (at, event, actions) in enumerate(steps(flow, "I have lost my card", "lost_card", 0.94, hangs_up=False)):
            session.add(StepRow(call_id=CALL, number=place, at=at, event=to_json(event), actions=to_json(actions)))
    yield address
    made.dispose()


def live(call: CallId = CALL, flow: str | None = None) -> LiveCall:
    return LiveCall(CallFacts(call, "sip"), flow, "main", Seconds(4.0), ())


def by_question(found: Sequence[SoFar]) -> dict[str, Standing]:
    return {it.question: it.standing for it in found}


def test_a_call_stands_by_what_was_said_so_far(database: str, tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    others = "harper valley national bank, harper valley bank, harper valley"
    card.write_text(CARD.read_text(encoding="utf-8").replace(others, "meridale bank"), encoding="utf-8")
    found = by_question(stands(database, CALL, card))

    assert found["Does the agent name the bank when opening the call?"] is Standing.SATISFIED
    assert list(found.values()).count(Standing.POSSIBLE) > 3
    assert stands(database, CallId("unknown"), CARD) == ()


@pytest.fixture
def watch(database: str) -> Iterator[CardWatch]:
    made = CardWatch(database, {"main": CARD})
    yield made
    if made._child is not None:
        made._child.shutdown()


async def worked_out(watch: CardWatch) -> None:
    assert watch._working is not None
    await watch._working


async def test_it_is_worked_out_in_another_process_and_told_once(watch: CardWatch, database: str) -> None:
    shown = live()
    watch.look([shown, live(flow="another")])
    at_once = watch.since(0, [CALL])
    await worked_out(watch)
    version, found = watch.since(0, [CALL])
    watch.look([shown])
    again = watch.since(version, [CALL])
    over = watch.since(0, [])

    assert at_once == (0, {})
    assert found == {CALL: stands(database, CALL, CARD)}
    assert (again, over) == ((1, {}), (1, {}))


async def test_a_child_that_dies_costs_one_look(watch: CardWatch) -> None:
    watch.look([live()])
    await worked_out(watch)
    [child] = watch._child._processes.values()  # type: ignore[union-attr]
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    watch.look([LiveCall(CallFacts(CALL, "sip"), None, "main", Seconds(5.0), (Happened(Seconds(5.0), "noise", ""),))])
    await worked_out(watch)
    without, _ = watch.since(0, [CALL])
    watch.look([LiveCall(CallFacts(CALL, "sip"), None, "main", Seconds(6.0), (Happened(Seconds(6.0), "noise", ""),))])
    await worked_out(watch)
    afterwards, _ = watch.since(0, [CALL])

    assert (without, afterwards) == (1, 2)


_ENGINE = """
import asyncio, sys
from tests.runtime.test_card_watch import CARD, CardWatch, live, worked_out
async def main():
    watch = CardWatch(sys.argv[1], {"main": CARD})
    watch.look([live()])
    await worked_out(watch)
    print(*(child.pid for child in watch._child._processes.values()), flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def test_its_child_ends_with_an_engine_that_is_killed(database: str) -> None:
    engine = subprocess.Popen([sys.executable, "-c", _ENGINE, database], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert engine.stdout is not None
    child = os.pidfd_open(int(engine.stdout.readline()))
    engine.kill()
    engine.wait()
    engine.stdout.close()
    ended, _, _ = select.select([child], [], [], 20.0)
    if not ended:
        signal.pidfd_send_signal(child, signal.SIGKILL)
    os.close(child)

    assert ended


def test_a_card_that_can_not_be_read_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        CardWatch("sqlite://", {"main": tmp_path / "nothing.yaml"})
