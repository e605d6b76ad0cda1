"""A campaign whose dialler, engine and carrier are killed again and again; and that the counting would see what goes wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from bench.outbound_kills import Dialled, Trial, measure, twice
from engine.core.units import Seconds
from engine.outbound.contacts import AttemptId, Reached

_SHM = Path("/dev/shm")  # memory: what is proved is what kills do, not what a disk does


def test_nobody_is_called_twice_and_nobody_is_lost_whatever_is_killed() -> None:
    with tempfile.TemporaryDirectory(dir=_SHM if _SHM.is_dir() else None) as folder:
        row, wrong = measure(Trial(Path(folder), people=500, kills=6, speed=400.0, slowest=Seconds(600.0)))

    assert wrong == []
    assert row["twice"] == row["lost"] == 0
    assert sum(int(str(number)) for what, number in row.items() if what.startswith("kills")) == 6


def calls(*ended: Reached | None) -> dict[str, list[Dialled]]:
    return {"+49300": [Dialled(AttemptId(str(place)), it) for place, it in enumerate(ended)]}


@pytest.mark.parametrize(
    "ended",
    [
        (Reached.ANSWERED, Reached.ANSWERED),
        (Reached.ANSWERED, Reached.BUSY),
        (None, Reached.BUSY),
        (Reached.NO_SUCH_NUMBER, Reached.NO_SUCH_NUMBER),
        (Reached.BUSY, Reached.BUSY, Reached.BUSY, Reached.BUSY),
    ],
)
def test_the_counting_sees_who_is_called_again_without_need(ended: tuple[Reached | None, ...]) -> None:
    assert len(list(twice(calls(*ended)))) == 1


def test_the_counting_sees_an_attempt_that_is_dialled_twice() -> None:
    same = Dialled(AttemptId("a"), Reached.BUSY)

    assert len(list(twice({"+49300": [same, same]}))) == 1


def test_the_counting_lets_pass_what_a_campaign_tries_again() -> None:
    assert list(twice(calls(Reached.BUSY, Reached.NO_ANSWER, Reached.ANSWERED))) == []
