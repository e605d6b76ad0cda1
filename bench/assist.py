"""How many silent agents does a bank need, and how soon is a phrase at a desk? ``python -m bench.assist [--callers N] [--live]``

Without ``--live``: calls put phrases up at random (a Poisson process: callers x turns x share), agents take a lognormal time over
each, and the board is the engine's own, in simulated time. A row a number of agents, until there are enough:

* ``at_desk``: share of the phrases that came to a desk while there was time to answer, beside what Erlang C expects;
* ``answered``: share answered before the deadline. ``enough``: this is ``--goal`` of what an agent manages who is never busy;
* ``wait``: from the call's asking to the desk, in seconds, of those that came there.

Erlang C (A. K. Erlang 1917; R. B. Cooper, Introduction to Queueing Theory, 2nd ed. 1981, section 3.5), for m agents and a load of
a erlangs (phrases a second x seconds an answer takes), gives the probability to wait longer than t as ``C exp(-(m - a) t / h)``,
with ``C = m B / (m - a (1 - B))``, B being Erlang's loss formula. It lets everybody wait for ever; here nobody waits beyond the
deadline, so an overloaded desk answers more than it says.

With ``--live``: see :mod:`bench.assist_live`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import random
import selectors
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

from bench import assist_live
from bench.card import Row, percentiles, progress, report
from engine.assist.board import Offered
from engine.assist.broker import BrokerPolicy
from engine.assist.tasks import AgentId, CantTell, Settled, Task, TaskId
from engine.core.call import CallId
from engine.core.speech import ENGLISH
from engine.dialogue.graph import NodeId
from engine.runtime.board import LocalBoard

QUESTION = "How many silent agents does a bank need?"
_BEAT = 2.0  # seconds; a desk is gone after three
_MOST_AGENTS = 200


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is asked of agents, and how fast they are."""

    a_second: float
    """Phrases."""

    within: float
    """Seconds a call waits."""

    median: float
    """Seconds from a phrase's arrival to its answer."""

    spread: float
    """Of the logarithm of those seconds."""

    lasting: float
    """Seconds to simulate."""

    @property
    def mean(self) -> float:
        """Seconds an answer takes."""
        return self.median * math.exp(self.spread**2 / 2)

    @property
    def load(self) -> float:
        """In erlangs: agents who would be busy all the time."""
        return self.a_second * self.mean

    @property
    def best(self) -> float:
        """Share that an agent answers in time who is never busy."""
        return NormalDist().cdf(math.log(self.within / self.median) / self.spread)

    @property
    def patience(self) -> float:
        """Seconds a phrase may wait for a desk."""
        return self.within - BrokerPolicy().shortest


@dataclass(slots=True)
class Seen:
    """What one simulation has shown."""

    asked: int = 0
    waits: list[float] = field(default_factory=list)
    settled: Counter[Settled] = field(default_factory=Counter)

    def share(self, how: Settled) -> float:
        """Of the phrases, those that ended so."""
        return self.settled[how] / max(1, self.asked)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--callers", type=int, default=100, help="calls at a time (100)")
    options.add_argument("--turns", type=float, default=4.0, help="spoken turns of a caller a minute (4)")
    options.add_argument("--share", type=float, default=0.10, help="share of the turns that are handed over (0.10)")
    options.add_argument("--median", type=float, default=3.0, help="seconds an agent takes, the median (3)")
    options.add_argument("--spread", type=float, default=0.4, help="spread of their logarithm (0.4)")
    options.add_argument("--within", type=float, default=6.0, help="seconds a call waits: patience.assist (6)")
    options.add_argument("--goal", type=float, default=0.95, help="of what agents answer who are never busy (0.95)")
    options.add_argument("--minutes", type=float, default=30.0, help="simulated (30)")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--live", action="store_true", help="real calls in real time instead")
    options.add_argument("--rounds", type=int, default=3, help="calls of each caller, with --live (3)")
    chosen = options.parse_args(arguments)
    if chosen.live:
        rows = asyncio.run(assist_live.measured(min(chosen.callers, 20), chosen.rounds))
        report(assist_live.QUESTION, rows, json=chosen.json, notes=assist_live.NOTES)
        return
    a_second = chosen.callers * chosen.turns / 60 * chosen.share
    traffic = Traffic(a_second, chosen.within, chosen.median, chosen.spread, chosen.minutes * 60)
    rows = list(_rows(traffic, chosen.goal, chosen.seed))
    title = f"{QUESTION} ({chosen.callers} callers, {a_second * 3600:.0f} phrases an hour, {traffic.load:.1f} erlangs)"
    report(title, rows, json=chosen.json, notes=(f"simulated; an agent who is never busy answers {traffic.best:.3f} in time",))


def _rows(traffic: Traffic, goal: float, seed: int) -> Iterator[Row]:
    """One a number of agents, until both we and Erlang C meet the goal."""
    for agents in range(max(1, math.floor(traffic.load)), _MOST_AGENTS):
        progress(f"{agents} agents")
        seen = simulated(traffic, agents, seed)
        answered, expected = seen.share(Settled.ANSWERED), erlang_c(agents, traffic.load, traffic.mean, traffic.patience)
        wait = percentiles(seen.waits or [math.nan])
        yield {
            "agents": agents,
            "phrases": seen.asked,
            "at_desk": round(len(seen.waits) / max(1, seen.asked), 3),
            "erlang_c": round(expected, 3),
            "answered": round(answered, 3),
            "expired": round(seen.share(Settled.EXPIRED), 3),
            "nobody": round(seen.share(Settled.NOBODY), 3),
            "wait_p50": round(wait.p50, 2),
            "wait_p95": round(wait.p95, 2),
            "enough": "yes" if answered >= goal * traffic.best else "no",
        }
        if answered >= goal * traffic.best and expected >= goal:
            return


def erlang_c(agents: int, load: float, mean: float, patience: float) -> float:
    """Probability to wait at most ``patience`` seconds for one of ``agents`` who take ``mean`` each; 0 where they are too few."""
    if agents <= load:
        return 0.0
    loss = 1.0
    for one in range(1, agents + 1):
        loss = load * loss / (one + load * loss)
    waiting = agents * loss / (agents - load * (1 - loss))
    return 1.0 - waiting * math.exp(-(agents - load) * patience / mean)


class _Skipping(selectors.SelectSelector):
    """Never waits: time jumps to when the next thing is due."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready, at once."""
        self.now += timeout or 0.0
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose seconds cost nothing."""

    def __init__(self) -> None:
        self._clock = _Skipping()
        super().__init__(self._clock)

    def time(self) -> float:
        """Simulated seconds."""
        return self._clock.now


def simulated(traffic: Traffic, agents: int, seed: int) -> Seen:
    """Let so many agents serve it."""
    loop = SimulatedLoop()
    try:
        return loop.run_until_complete(_served(loop, traffic, agents, random.Random(seed)))
    finally:
        loop.close()


async def _served(loop: SimulatedLoop, traffic: Traffic, agents: int, luck: random.Random) -> Seen:
    seen, board = Seen(), LocalBoard(clock=loop.time)
    desks = [_Desk(board, AgentId(f"agent {number}"), traffic, random.Random(luck.random())) for number in range(agents)]
    async with _beside(_count(board, seen), *(desk.work(seen) for desk in desks), *(desk.beat() for desk in desks)):
        await asyncio.sleep(0)
        for number in range(1 << 30):
            await asyncio.sleep(luck.expovariate(traffic.a_second))
            if loop.time() > traffic.lasting:
                break
            seen.asked += 1
            await board.ask(_task(number, loop.time(), traffic.within), b"")
        await asyncio.sleep(traffic.within + 1.0)
    return seen


async def _count(board: LocalBoard, seen: Seen) -> None:
    async for given in board.given():
        seen.settled[given.settled] += 1


class _Desk:
    """An agent who takes a time by chance over each phrase."""

    def __init__(self, board: LocalBoard, agent: AgentId, traffic: Traffic, luck: random.Random) -> None:
        self._board, self._agent, self._traffic, self._luck = board, agent, traffic, luck

    async def work(self, seen: Seen) -> None:
        """Until cancelled."""
        await self._board.sign_in(self._agent, {ENGLISH})
        answering: asyncio.Task[None] | None = None
        async for news in self._board.news(self._agent):
            if answering is not None:
                answering.cancel()
            if isinstance(news, Offered):
                seen.waits.append(asyncio.get_running_loop().time() - news.task.asked_at)
                await self._board.shown(self._agent, news.task.id)
                answering = asyncio.create_task(self._answer(news.task.id))

    async def beat(self) -> None:
        """Be there, until cancelled."""
        while True:
            await asyncio.sleep(_BEAT)
            await self._board.present(self._agent)

    async def _answer(self, task: TaskId) -> None:
        await asyncio.sleep(self._luck.lognormvariate(math.log(self._traffic.median), self._traffic.spread))
        await self._board.answer(self._agent, task, CantTell())


def _task(number: int, now: float, within: float) -> Task:
    asked = TaskId(CallId("simulated"), number)
    return Task(asked, ENGLISH, "", NodeId("main"), "", "", (), None, (), now, now + within)


@contextlib.asynccontextmanager
async def _beside(*work: Coroutine[Any, Any, None]) -> Any:
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    main()
