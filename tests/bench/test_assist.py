"""How many agents a bank needs: the formula's known values, and a simulation that follows them."""

from __future__ import annotations

import asyncio

import pytest

from bench.assist import SimulatedLoop, Traffic, erlang_c, simulated
from engine.assist.tasks import Settled

QUIET = Traffic(a_second=0.05, within=6.0, median=2.0, spread=0.2, lasting=3600.0)


@pytest.mark.parametrize(("agents", "load", "waiting"), [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (3, 2.0, 4 / 9)])
def test_erlangs_formula_gives_the_values_of_the_textbooks(agents: int, load: float, waiting: float) -> None:
    assert erlang_c(agents, load, mean=3.0, patience=0.0) == pytest.approx(1 - waiting)


def test_too_few_agents_serve_nobody_for_ever() -> None:
    assert erlang_c(2, 2.0, 3.0, 4.5) == 0.0


def test_simulated_hours_cost_no_time() -> None:
    loop = SimulatedLoop()
    loop.run_until_complete(asyncio.sleep(3600.0))

    assert loop.time() >= 3600.0
    loop.close()


def test_an_agent_with_little_to_do_answers_nearly_all_and_as_the_formula_says() -> None:
    seen = simulated(QUIET, agents=1, seed=1)

    assert seen.asked == pytest.approx(180, abs=40)
    assert len(seen.waits) / seen.asked == pytest.approx(erlang_c(1, QUIET.load, QUIET.mean, QUIET.patience), abs=0.03)
    assert seen.share(Settled.ANSWERED) > 0.95


def test_the_same_seed_gives_the_same_day() -> None:
    assert simulated(QUIET, 1, seed=2) == simulated(QUIET, 1, seed=2)


def test_every_phrase_is_settled() -> None:
    busy = Traffic(a_second=2.0, within=6.0, median=3.0, spread=0.4, lasting=120.0)
    seen = simulated(busy, agents=2, seed=3)

    assert sum(seen.settled.values()) == seen.asked
    assert seen.settled[Settled.NOBODY] > 0
