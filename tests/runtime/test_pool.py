from __future__ import annotations

import asyncio
import errno
import os
import signal
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from engine.core.errors import ConfigError, ModelBroken, ModelNotFound, ModelOverloaded
from engine.core.units import Seconds
from engine.runtime.jobs import Urgency
from engine.runtime.models import understanding
from engine.runtime.pool import Pool, PoolPolicy
from engine.runtime.process import Recipe, WorkerProcess
from engine.testing.models import Do, learned, missing, obedient

QUICK = PoolPolicy(workers=1, batch=4, within=Seconds(10.0), hang=Seconds(2.0), longest_queue=6, restart_after=Seconds(0.01))


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool("test", obedient, QUICK)
    await pool.start()
    yield pool
    await pool.close()


async def test_jobs_that_wait_together_are_answered_together(pool: Pool) -> None:
    first = pool.submit(Do("first", take_s=0.05))
    others = [pool.submit(Do(str(n))) for n in range(5)]

    assert await first == ("first", 1)
    assert [await other for other in others] == [("0", 4), ("1", 4), ("2", 4), ("3", 4), ("4", 1)]


async def test_the_more_urgent_goes_first_and_shares_no_batch_with_the_less_urgent(pool: Pool) -> None:
    done: list[str] = []
    jobs = [pool.submit(Do("running", take_s=0.05)), pool.submit(Do("second"), Urgency.SECOND), pool.submit(Do("turn"))]
    for job in jobs:
        job.add_done_callback(lambda answered: done.append(answered.result()[0]))
    await asyncio.gather(*jobs)

    assert done == ["running", "turn", "second"]


async def test_partial_results_are_made_in_idle_time_only(pool: Pool) -> None:
    running = pool.submit(Do("running", take_s=0.05))

    with pytest.raises(ModelOverloaded, match="no time for partial results"):
        await pool.submit(Do("partial"), Urgency.PARTIAL)
    await running
    assert await pool.submit(Do("partial"), Urgency.PARTIAL) == ("partial", 1)


async def test_one_bad_job_does_not_spoil_its_neighbours(pool: Pool) -> None:
    pool.submit(Do(take_s=0.05))
    bad, good = pool.submit(Do("bad", fail=True)), pool.submit(Do("good"))

    assert await good == ("good", 1)
    with pytest.raises(ModelBroken, match="media"):
        await bad


async def test_a_job_that_kills_two_workers_is_given_up_and_the_pool_lives_on(pool: Pool) -> None:
    with pytest.raises(ModelBroken, match="two workers died"):
        await pool.submit(Do(die=True))

    assert await pool.submit(Do("after")) == ("after", 1)


async def test_a_killed_worker_costs_its_jobs_one_retry(pool: Pool) -> None:
    job = pool.submit(Do("survivor", take_s=0.3))
    await asyncio.sleep(0.1)
    os.kill(pool.pids[0], signal.SIGKILL)

    assert await job == ("survivor", 1)


async def test_a_worker_that_hangs_is_killed_and_replaced(pool: Pool) -> None:
    before = pool.pids

    with pytest.raises(ModelBroken):
        await pool.submit(Do(take_s=60.0))
    assert await pool.submit(Do("after")) == ("after", 1)
    assert pool.pids != before


async def test_what_is_not_answered_in_time_is_given_up(pool: Pool) -> None:
    impatient = Pool("impatient", obedient, PoolPolicy(workers=1, within=Seconds(0.05)))
    await impatient.start()

    with pytest.raises(ModelOverloaded, match=r"no answer within 0.05 s"):
        await impatient.submit(Do(take_s=0.3))
    await impatient.close()


async def test_a_full_queue_drops_the_least_urgent_and_refuses_the_equally_urgent(pool: Pool) -> None:
    pool.submit(Do(take_s=0.1))
    batch = pool.submit(Do("batch"), Urgency.BATCH)
    turns = [pool.submit(Do("turn")) for _ in range(6)]

    with pytest.raises(ModelOverloaded, match="more urgent"):
        await batch
    with pytest.raises(ModelOverloaded, match="are waiting already"):
        await pool.submit(Do("one too many"))
    assert {(await turn)[0] for turn in turns} == {"turn"}


async def test_a_job_taken_back_is_not_done(pool: Pool) -> None:
    running = pool.submit(Do(take_s=0.05))
    pool.submit(Do(die=True)).cancel()

    await running
    assert await pool.submit(Do("alive")) == ("alive", 1)
    assert pool.warm == 1


async def test_a_model_that_is_missing_is_told_at_the_start() -> None:
    with pytest.raises(ModelNotFound, match=r"the workers of 'none' can't start: told to be missing\. .*callwright models list"):
        await Pool("none", missing, QUICK).start()


@pytest.mark.model
async def test_a_folder_that_is_not_there_is_named_with_what_belongs_in_it(tmp_path: Path) -> None:
    vosk = partial(understanding, "vosk", {"model": str(tmp_path / "vosk-ru")}, ())
    with pytest.raises(
        ModelNotFound, match=rf"expected a Vosk model with am/final\.mdl in {tmp_path}/vosk-ru\..*models/README\.md"
    ):
        await Pool("russian", vosk, QUICK).start()


async def test_wrong_settings_of_a_recogniser_are_the_operators_to_mend() -> None:
    with pytest.raises(ConfigError, match=r"the workers of 'mine' can't start: expected an installed recogniser"):
        await Pool("mine", partial(understanding, "mine", {}, ()), QUICK).start()


async def test_a_worker_that_dies_between_two_jobs_costs_nothing(pool: Pool) -> None:
    os.kill(pool.pids[0], signal.SIGKILL)
    os.waitid(os.P_PID, pool.pids[0], os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 -- the loop must not notice

    assert await pool.submit(Do("survivor")) == ("survivor", 1)


async def test_a_worker_that_stands_still_holds_nobody_up_however_much_it_is_given(pool: Pool) -> None:
    stopped = pool.pids[0]
    os.kill(stopped, signal.SIGSTOP)
    rescue = threading.Timer(20.0, os.kill, (stopped, signal.SIGCONT))  # a held loop would let it answer, late
    rescue.start()
    job = pool.submit(Do("x" * 4_000_000))
    await asyncio.sleep(0.1)
    assert not job.done()
    os.kill(stopped, signal.SIGKILL)

    assert await job == ("x" * 4_000_000, 1)
    assert rescue.is_alive()
    rescue.cancel()


async def test_nobody_waits_where_no_worker_has_been_warm_for_a_while() -> None:
    pool = Pool("desert", obedient, replace(QUICK, deserted=Seconds(0.05), restart_after=Seconds(0.5)))
    await pool.start()
    os.kill(pool.pids[0], signal.SIGKILL)

    with pytest.raises(ModelOverloaded, match="no worker is warm"):
        await pool.submit(Do("waits"))
    with pytest.raises(ModelOverloaded, match="no worker is warm"):
        await pool.submit(Do("comes too late"))
    await _warm(pool)
    assert await pool.submit(Do("after")) == ("after", 1)
    await pool.close()


async def test_recordings_wait_for_a_worker_as_long_as_it_takes() -> None:
    pool = Pool("desert", obedient, replace(QUICK, deserted=Seconds(0.05), restart_after=Seconds(0.3)))
    await pool.start()
    recording = pool.submit(Do("recording", take_s=0.2), Urgency.BATCH)
    os.kill(pool.pids[0], signal.SIGKILL)

    assert await recording == ("recording", 1)
    await pool.close()


async def test_what_workers_load_may_be_larger_than_any_pipe() -> None:
    pool = Pool("learned", partial(learned, b"x" * 10_000_000), QUICK)
    await pool.start()

    assert await pool.submit(Do("after")) == ("after", 1)
    await pool.close()


async def test_where_a_worker_cannot_be_started_it_is_tried_again(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    start, refusals = WorkerProcess.start, iter([OSError(errno.ENOMEM, "no memory"), OSError(errno.EMFILE, "no descriptor")])

    async def refused(name: str, recipe: Recipe) -> WorkerProcess:
        for refusal in refusals:
            raise refusal
        return await start(name, recipe)

    monkeypatch.setattr(WorkerProcess, "start", refused)
    os.kill(pool.pids[0], signal.SIGKILL)

    await _warm(pool)
    assert await pool.submit(Do("after")) == ("after", 1)


async def test_a_closed_pool_leaves_no_process_and_no_descriptor() -> None:
    before = _descriptors()
    pool = Pool("short", obedient, replace(QUICK, workers=2))
    await pool.start()
    pids = pool.pids
    await pool.close()
    await asyncio.sleep(0)  # a transport closes its socket a moment later

    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert _descriptors() <= before


async def _warm(pool: Pool) -> None:
    async with asyncio.timeout(20.0):
        while not pool.warm:  # noqa: ASYNC110 -- a pool tells nobody
            await asyncio.sleep(0.02)


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
