from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from engine.core.errors import ModelBroken, ModelOverloaded
from engine.core.units import Seconds
from engine.runtime.jobs import Urgency
from engine.runtime.pool import Pool, PoolPolicy
from engine.testing.models import Do, missing, obedient

QUICK = PoolPolicy(workers=1, batch=4, within=Seconds(5.0), hang=Seconds(0.5), longest_queue=6, restart_after=Seconds(0.01))


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
    with pytest.raises(ModelBroken, match="expected the workers of 'none' to start"):
        await Pool("none", missing, QUICK).start()


async def test_a_worker_that_dies_between_two_jobs_costs_nothing(pool: Pool) -> None:
    os.kill(pool.pids[0], signal.SIGKILL)
    os.waitid(os.P_PID, pool.pids[0], os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 -- the loop must not notice

    assert await pool.submit(Do("survivor")) == ("survivor", 1)
