"""Whatever happens to a worker, each recording comes back once, and nothing of the worker is left."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core.errors import ModelBroken
from engine.core.units import Seconds
from engine.runtime.batch.crew import ALONE, Patience, Together
from engine.runtime.batch.local import LocalExecutor
from engine.runtime.batch.work import Heard, HearerLoader, Lost, Outcome, Refused, Work
from engine.testing.hearers import (
    endless,
    errand,
    loads_the_second_time,
    obedient,
    sociable,
    stillborn,
    without_files,
)

QUICK = Patience(restart_after=Seconds(0.01))


def by_content(outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    """Each by its content; none came twice."""
    outcomes = list(outcomes)
    assert max(Counter(outcome.work.content for outcome in outcomes).values(), default=0) <= 1
    return {outcome.work.content: outcome for outcome in outcomes}


def run(
    works: Iterable[Work],
    workers: int = 2,
    policy: Patience = QUICK,
    load: HearerLoader = obedient,
    together: Together = ALONE,
) -> dict[str, Outcome]:
    with LocalExecutor(load, workers, policy, together) as executor:
        return by_content(executor.outcomes(iter(works)))


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def reason(outcome: Outcome) -> str:
    assert not isinstance(outcome, Heard)
    return outcome.reason


def test_all_that_was_given_comes_back_heard_from_as_many_workers_as_were_asked_for() -> None:
    outcomes = run(errand(str(n), take_s="0.02") for n in range(20))

    assert sorted(outcomes, key=int) == [str(n) for n in range(20)]
    assert all(isinstance(outcome, Heard) for outcome in outcomes.values())
    assert len({outcome.transcript["pid"] for outcome in outcomes.values() if isinstance(outcome, Heard)}) == 2


def test_no_work_is_taken_before_a_worker_is_free_for_it() -> None:
    taken: list[str] = []

    def works() -> Iterator[Work]:
        for n in range(9):
            taken.append(str(n))
            yield errand(str(n))

    with LocalExecutor(obedient, 2, QUICK) as executor:
        ahead = [len(taken) - done for done, _ in enumerate(executor.outcomes(works()))]

    assert len(taken) == 9
    assert max(ahead) <= 2


@pytest.mark.parametrize(
    ("orders", "reason_given"),
    [
        ({"die": str(int(signal.SIGKILL))}, "its worker was ended by SIGKILL, as the system does when memory runs out"),
        ({"die": str(int(signal.SIGSEGV))}, "its worker was ended by SIGSEGV"),
        ({"exit": "7"}, "its worker ended with status 7"),
        ({"bug": "in the code"}, "its worker ended with status 1"),
        ({"other_error": "somebody's words"}, "it could not be heard: host"),
    ],
)
def test_a_recording_that_kills_its_worker_is_lost_with_the_reason_and_the_others_are_heard(
    orders: dict[str, str], reason_given: str
) -> None:
    outcomes = run([errand("a"), errand("poison", **orders), *(errand(str(n)) for n in range(6))])

    assert len(outcomes) == 8
    assert isinstance(outcomes["poison"], Lost)
    assert reason(outcomes["poison"]) == reason_given
    assert sum(isinstance(outcome, Heard) for outcome in outcomes.values()) == 7


def test_short_recordings_are_given_together_and_a_long_one_ends_what_is_given(tmp_path: Path) -> None:
    short, long = tmp_path / "short.wav", tmp_path / "long.wav"
    short.write_bytes(bytes(100))
    long.write_bytes(bytes(1000))
    works = iter([errand("a", short), errand("b", short), errand("c", long), errand("d", short), errand("e", long)])
    together = Together(recordings=3, size=1000)

    assert [[it.content for it in together.taken(works)] for _ in range(3)] == [["a", "b", "c"], ["d", "e"], []]
    assert len(ALONE.taken(iter([errand("a", short), errand("b", short)]))) == 1


@pytest.mark.parametrize("load", [obedient, sociable])
def test_what_is_given_together_comes_back_each_by_itself_and_an_error_costs_one(load: HearerLoader) -> None:
    works = [errand("a"), errand("broken", other_error="somebody's words"), errand("b"), errand("c")]
    outcomes = run(works, workers=1, load=load, together=Together())

    assert outcomes["broken"] == Lost(works[1], "it could not be heard: host")
    assert sum(isinstance(outcome, Heard) for outcome in outcomes.values()) == 3


def test_who_dies_over_several_loses_all_that_it_has_not_answered_for_and_says_how_many() -> None:
    works = [errand("a"), errand("poison", die=str(int(signal.SIGKILL))), errand("b"), errand("c")]
    outcomes = run(works, workers=1, together=Together())

    assert isinstance(outcomes["a"], Heard)
    assert {name: outcome.among for name, outcome in outcomes.items() if isinstance(outcome, Lost)} == dict.fromkeys(
        ["poison", "b", "c"], 3
    )


def test_bad_sound_that_the_hearer_did_not_expect_is_refused_without_costing_a_worker() -> None:
    outcomes = run([errand("bad", media_error="expected sound, found none"), errand("good")], workers=1)

    assert isinstance(outcomes["bad"], Refused)
    assert reason(outcomes["bad"]) == "expected sound, found none"
    assert isinstance(outcomes["good"], Heard)


def test_workers_killed_from_outside_again_and_again_lose_only_what_they_had() -> None:
    todo = [errand(str(n), take_s="0.02") for n in range(40)]
    with LocalExecutor(obedient, 2, QUICK) as executor:
        outcomes = []
        for outcome in executor.outcomes(iter(todo)):
            outcomes.append(outcome)
            if len(outcomes) in {5, 15, 25}:
                os.kill(executor.pids[-1], signal.SIGKILL)
        lost = [outcome.work for outcome in outcomes if isinstance(outcome, Lost)]
        again = list(executor.outcomes(iter(lost)))

    assert set(by_content(outcomes)) == {work.content for work in todo}
    assert len(lost) <= 3
    assert all(isinstance(outcome, Heard) for outcome in again)


@pytest.mark.parametrize("orders", [{"take_s": "1000"}, {"die": str(int(signal.SIGSTOP))}, {"spin": "64"}])
def test_a_silent_worker_is_killed_after_its_recordings_time(orders: dict[str, str], tmp_path: Path) -> None:
    long = tmp_path / "long.wav"
    long.write_bytes(b"RIFF" + bytes(1_000_000))
    outcomes = run([errand("silent", **orders), errand("long", long, take_s="0.5")], policy=replace(QUICK, at_least=Seconds(0.3)))

    assert reason(outcomes["silent"]) == "its worker was silent for too long"
    assert isinstance(outcomes["long"], Heard)


def test_a_packed_recording_gets_more_time_than_a_plain_one_of_its_size(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.wav", tmp_path / "a.mp3"
    plain.write_bytes(b"RIFF" + bytes(999_996))
    packed.write_bytes(b"ID3\4" + bytes(999_996))

    assert QUICK.silence(plain) == QUICK.at_least + QUICK.per_plain_megabyte
    assert QUICK.silence(packed) == QUICK.at_least + QUICK.per_packed_megabyte
    assert QUICK.silence(tmp_path / "gone.wav") == QUICK.at_least


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells a process's size")
def test_a_worker_that_grows_too_large_is_killed() -> None:
    policy = replace(QUICK, most_bytes=200_000_000)
    outcomes = run([errand("glutton", swell="300000000", take_s="1000"), errand("good")], policy=policy)

    assert re.fullmatch(r"its worker grew to 0\.\d GB of memory, over 0\.2 GB", reason(outcomes["glutton"]))
    assert isinstance(outcomes["good"], Heard)


def test_models_that_are_missing_end_the_run_with_their_reason() -> None:
    given = iter([errand("a")])
    with pytest.raises(ModelBroken, match=r"found 2 that can't: model.not_found: expected the model's files"):
        run(given, load=without_files)

    assert next(given).content == "a"


def test_a_loader_that_kills_its_worker_is_not_tried_for_ever() -> None:
    with pytest.raises(ModelBroken, match=r"found 1 that can't: its worker ended with status 3, 2 times in a row"):
        run([errand("a")], workers=1, policy=replace(QUICK, starts=2), load=stillborn)


def test_a_worker_that_takes_too_long_to_load_is_given_up() -> None:
    with pytest.raises(ModelBroken, match="it took too long to load its models, 1 times in a row"):
        run([errand("a")], workers=1, policy=replace(QUICK, starts=1, start_within=Seconds(0.3)), load=endless)


def test_a_loader_that_died_once_is_tried_again(tmp_path: Path) -> None:
    outcomes = run([errand("a")], workers=1, load=loads_the_second_time(tmp_path))

    assert isinstance(outcomes["a"], Heard)


def test_where_the_system_refuses_processes_the_run_ends_with_that_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("engine.runtime.batch.local_process.spawned", refused)
    before = descriptors()
    with pytest.raises(ModelBroken, match="the system refused a process: Resource temporarily unavailable"):
        run([errand("a")], policy=replace(QUICK, starts=2))

    assert descriptors() == before


def test_leaving_in_the_middle_ends_the_workers_at_once_and_leaks_nothing() -> None:
    before = descriptors()
    with LocalExecutor(obedient, 2, QUICK) as executor:
        busy = [errand("quick"), errand("native", spin="64"), errand("asleep", take_s="1000")]
        told = executor.outcomes(iter(busy))  # kept: what nobody holds is left at once, and its busy workers with it
        first = next(told)
        pids = executor.pids

    assert isinstance(first, Heard)
    assert len(pids) == 2
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert descriptors() == before


def test_what_was_left_unfinished_does_not_turn_up_later() -> None:
    with LocalExecutor(obedient, 2, QUICK) as executor:
        next(iter(executor.outcomes(iter([errand("a"), errand("left", take_s="0.2")]))))
        later = by_content(executor.outcomes(errand(str(n), take_s="0.1") for n in range(6)))

    assert set(later) == {"0", "1", "2", "3", "4", "5"}


DIES = """
import os, sys
from engine.runtime.batch.crew import ALONE, Patience, Together
from engine.runtime.batch.local import LocalExecutor
from engine.testing.hearers import errand, obedient

with LocalExecutor(obedient, 1) as executor:
    def works():
        print(executor.pids[0], flush=True)
        yield errand("busy", wait=sys.argv[1], spin="64")
    list(executor.outcomes(works()))
"""


def test_workers_die_with_a_run_that_is_killed_even_in_the_middle_of_native_code(tmp_path: Path) -> None:
    began = tmp_path / "began"
    os.mkfifo(began)
    command = [sys.executable, "-c", DIES, str(began)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        worker = int(run.stdout.readline())
        watched = os.pidfd_open(worker)
        began.write_bytes(b"now")
        run.kill()
    ended = bool(select.select([watched], [], [], 30.0)[0])
    os.close(watched)

    assert ended
