"""A campaign whose dialler, engine and carrier are killed again and again; and that the counting would see what goes wrong."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path

import pytest

from bench import outbound_sip
from bench.outbound_kills import Dialled, Trial, measure, twice
from engine.core.units import Seconds
from engine.outbound.contacts import AttemptId, Reached
from tests.conftest import missing

_SHM = Path("/dev/shm")  # memory: what is proved is what kills do, not what a disk does


def test_nobody_is_called_twice_and_nobody_is_lost_whatever_is_killed() -> None:
    with tempfile.TemporaryDirectory(dir=_SHM if _SHM.is_dir() else None) as folder:
        row, wrong = measure(Trial(Path(folder), people=500, kills=6, speed=400.0, slowest=Seconds(600.0)))

    assert wrong == []
    assert row["twice"] == row["lost"] == 0
    assert sum(int(str(number)) for what, number in row.items() if what.startswith("kills")) == 6


def test_the_same_holds_over_real_sip() -> None:
    if shutil.which("sipp") is None:
        missing("sipp (apt install sip-tester)")
    if importlib.util.find_spec("baresip") is None:
        missing("the extra sip")
    with tempfile.TemporaryDirectory(dir=_SHM if _SHM.is_dir() else None) as folder:
        row, wrong = outbound_sip.measure(Trial(Path(folder), people=40, kills=2, slowest=Seconds(600.0)))

    assert wrong == []
    assert int(str(row["calls"])) >= 40 - int(str(row["uncertain"]))


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
