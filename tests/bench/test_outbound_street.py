"""What is counted at the telephones, where engines that talk are killed: that the counting sees what goes wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bench.outbound_kills import Trial
from bench.outbound_people import Exchange
from bench.outbound_run import database
from bench.outbound_street import Rung, at_the_telephones, cut_off, made
from bench.outbound_whole import Town, wrongs
from engine.outbound.contacts import ContactState, Outcome
from engine.store.database import upgrade
from engine.store.outbound_models import ContactRow
from engine.testing.campaigns import made_up, number_of

WELL = "dialled {0} a\nheard {0} a\nover {0} a\n"


def log(folder: Path, text: str) -> None:
    with (folder / "calls.log").open("a", encoding="ascii") as file:
        file.write(text)


def test_what_was_not_over_when_the_telephones_died_was_cut_off(tmp_path: Path) -> None:
    log(tmp_path, "dialled +491 a\nheard +491 a\nover +491 a\ndialled +492 b\nheard +492 b\n")
    cut_off(tmp_path)
    log(tmp_path, "dialled +492 c\nover +492 c\n")

    assert made(tmp_path) == 3
    assert at_the_telephones(tmp_path) == {
        "+491": [Rung("a", heard=True, cut_off=False)],
        "+492": [Rung("b", heard=True, cut_off=True), Rung("c", heard=False, cut_off=False)],
    }


@pytest.mark.parametrize(
    ("calls", "outcome", "kinds"),
    [
        (WELL, Outcome.INFORMED, []),
        (WELL, Outcome.HUNG_UP, ["lost"]),
        ("", Outcome.INFORMED, ["lost"]),
        (WELL, None, ["lost"]),
        (WELL + "dialled {0} b\nover {0} b\n", Outcome.UNREACHED, ["twice"]),
        ("dialled {0} a\nover {0} a\ndialled {0} a\nheard {0} a\nover {0} a\n", Outcome.INFORMED, ["twice"]),
        ("".join(f"dialled {{0}} {it}\nover {{0}} {it}\n" for it in "abcd"), Outcome.UNREACHED, ["twice"]),
    ],
)
def test_the_counting_sees_who_was_called_twice_or_lost(
    tmp_path: Path, calls: str, outcome: Outcome | None, kinds: list[str]
) -> None:
    kept, trial = database(tmp_path), Trial(tmp_path, people=1, kills=0)
    upgrade(kept)
    made_up(kept, 1)
    with Session(kept) as session, session.begin():
        for row in session.query(ContactRow):
            row.state, row.outcome = (ContactState.WAITING if outcome is None else ContactState.DONE), outcome
    log(tmp_path, calls.format(number_of(0)))

    found = wrongs(kept, trial, Town(trial), at_the_telephones(tmp_path))

    assert [kind for kind, _ in found] == kinds
    kept.dispose()


def test_a_request_that_is_repeated_rings_once_and_is_not_taken_for_another() -> None:
    async def calls() -> list[int]:
        exchange = Exchange()
        for method, branch, call in [
            ("INVITE", 1, "a"),
            ("INVITE", 1, "a"),
            ("ACK", 2, "a"),
            ("INVITE", 3, "b"),
            ("BYE", 9, "c"),
        ]:
            said = f"{method} sip:x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch={branch}\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\n\r\n"
            exchange.datagram_received(said.encode(), None)
        return [exchange.calls.get_nowait().qsize() for _ in range(exchange.calls.qsize())]

    assert asyncio.run(calls()) == [2, 1]
