"""Does a campaign call anybody twice, or lose anybody, when its processes are killed? ``python -m bench.outbound_kills``

A campaign of made-up people is dialled by two processes over the simulated carrier, a process too: a dialler by itself, and a
whole engine with its doors, its own processes and a dialler beside, as ``callwright serve`` is one. All three are killed
(``SIGKILL``) again and again, at moments drawn at random over the whole work, and started anew; the engine only while it dials.
Everything is counted at the carrier, from its own log of what it dialled:

* twice: somebody dialled again though their last call had not ended in a way that the campaign tries again, or more often than it
  tries; or an attempt's id dialled twice;
* lost: somebody without an outcome who is not listed as uncertain either, or whose outcome is not what their person did;
* uncertain: listed for a person. There may be no more than calls were in flight at the kills.
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Final

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bench import outbound_run
from bench.card import Row, progress, report
from bench.outbound_run import database
from engine.config.outbound import SimulatedSection
from engine.core.units import Seconds
from engine.outbound.attempt import OPEN
from engine.outbound.contacts import AttemptId, ContactState, Outcome, Reached
from engine.store.database import upgrade
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow
from engine.store.uncertain import uncertain
from engine.testing.campaigns import ATTEMPTS, made_up
from engine.testing.simulated_carrier import World, records

QUESTION = "Does a campaign call anybody twice, or lose anybody, when its processes are killed?"
AGAIN = frozenset({Reached.BUSY, Reached.NO_ANSWER, Reached.CONGESTED, Reached.FAILED})
_LOOK_EVERY = Seconds(0.02)
_SHARES = {
    "person": 0.55, "machine": 0.2, "busy": 0.08, "no_answer": 0.12, "rejected": 0.02, "no_such_number": 0.015,
    "congested": 0.005, "lost": 0.01,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trial:
    """How it is done."""

    folder: Path
    people: int
    kills: int
    seed: int = 20_26
    speed: float = 200.0
    slowest: Seconds = Seconds(7200.0)

    @property
    def world(self) -> World:
        """Who lives in it."""
        return World(self.seed, self.speed, _SHARES)


Measure = Callable[[Trial], tuple[Row, Sequence[str]]]

_PROCESSES: Final = get_context("forkserver")
_PROCESSES.set_forkserver_preload(["bench.outbound_run"])  # what takes seconds is imported once


@dataclass(slots=True)
class Crew:
    """The processes."""

    trial: Trial
    port: int
    running: dict[str, BaseProcess] = field(default_factory=dict)
    in_flight: int = 0
    """Calls that were open when a process was killed, summed."""
    kills: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def start(self, role: str) -> None:
        """Start it, or start it anew."""
        folder, simulated = self.trial.folder, SimulatedSection(port=self.port, speed=self.trial.speed)
        target: Callable[..., None] = {"dialler": outbound_run.dial, "engine": outbound_run.serve}.get(role, outbound_run.carry)
        what = (folder, self.port, self.trial.world) if role == "carrier" else (folder, simulated)
        self.running[role] = _PROCESSES.Process(target=target, args=what)
        self.running[role].start()

    def victims(self, engine: Engine) -> Sequence[str]:
        """Who can be killed now: an engine that is still starting has nothing to lose."""
        busy = open_attempts(engine, f"%-{self.running['engine'].pid}-%")
        return ["carrier", "dialler", *(["engine"] if busy else [])]

    def kill(self, role: str, engine: Engine) -> None:
        """Kill it, count what was open, and start it anew."""
        victim = self.running[role]
        mine = f"%-{victim.pid}-%" if role != "carrier" else "%"
        before = open_attempts(engine, mine)
        victim.kill()
        victim.join()
        self.in_flight += max(before, open_attempts(engine, mine))
        self.kills[role] += 1
        self.start(role)

    def close(self) -> None:
        """End all."""
        for process in self.running.values():
            process.kill()
            process.join()


def open_attempts(engine: Engine, owner: str = "%") -> int:
    """How many are open, of diallers like this."""
    with Session(engine) as session:
        wanted = select(func.count()).where(AttemptRow.state.in_(OPEN), AttemptRow.owner.like(owner))
        return session.scalar(wanted) or 0


def dialled(trial: Trial) -> int:
    """How much the carrier has done."""
    log = trial.folder / "dials.jsonl"
    return log.read_bytes().count(b'"dialled"') if log.exists() else 0


def rehearse(trial: Trial) -> Crew:
    """Run the campaign to its end, with the kills.

    Raises:
        TimeoutError: it never comes to its end.
    """
    engine = database(trial.folder)
    upgrade(engine)
    made_up(engine, trial.people)
    draw = Random(trial.seed)
    marks = sorted(draw.randrange(max(1, trial.people)) for _ in range(trial.kills))
    crew = Crew(trial, _free_port())
    deadline = time.monotonic() + trial.slowest
    try:
        for role in ("carrier", "dialler", "engine"):
            crew.start(role)
        while crew.running["dialler"].is_alive():
            if time.monotonic() > deadline:
                raise TimeoutError(f"expected an end within {trial.slowest:g} s, found {dialled(trial)} calls made")
            if marks and dialled(trial) >= marks[0]:
                crew.kill(_least_killed(crew, draw, engine), engine)
                progress(f"kill {trial.kills - len(marks) + 1} of {trial.kills}, at {dialled(trial)} calls")
                del marks[0]
            time.sleep(_LOOK_EVERY)
    finally:
        crew.close()
    return crew


def _least_killed(crew: Crew, draw: Random, engine: Engine) -> str:
    """One that can be killed, drawn among those that were killed least: the engine takes its time to be back."""
    victims = crew.victims(engine)
    least = min(crew.kills[it] for it in victims)
    return draw.choice([it for it in victims if crew.kills[it] == least])


@dataclass(frozen=True, slots=True)
class Dialled:
    """One call at the carrier."""

    attempt: AttemptId
    ended: Reached | None
    """``None``: the carrier was killed before it wrote that down."""


def at_the_carrier(trial: Trial) -> Mapping[str, Sequence[Dialled]]:
    """What was dialled, by number, in order."""
    dials: dict[str, list[AttemptId]] = defaultdict(list)
    ended: dict[AttemptId, Reached] = {}
    for record in records(trial.folder / "dials.jsonl"):
        if record["did"] == "dialled":
            dials[record["number"]].append(AttemptId(record["id"]))
        elif record["did"] == "ended":
            ended[AttemptId(record["id"])] = Reached(record["reached"])
    return {number: [Dialled(it, ended.get(it)) for it in attempts] for number, attempts in dials.items()}


def twice(calls: Mapping[str, Sequence[Dialled]]) -> Iterator[str]:
    """Everybody who was called though they should not have been."""
    for number, dials in calls.items():
        if len({it.attempt for it in dials}) < len(dials):
            yield f"{number}: an attempt was dialled twice"
        if any(it.ended not in AGAIN for it in dials[:-1]):
            yield f"{number}: called again after {', '.join(str(it.ended) for it in dials)}"
        if sum(it.ended is not Reached.CONGESTED for it in dials) > ATTEMPTS:
            yield f"{number}: called {len(dials)} times"


def lost(trial: Trial, engine: Engine, calls: Mapping[str, Sequence[Dialled]]) -> Iterator[str]:
    """Everybody whose state in the database is not what became of them at the carrier."""
    listed = {it.contact for it in uncertain(engine)}
    with Session(engine) as session:
        contacts = session.scalars(select(ContactRow)).all()
        if (found := session.scalar(select(func.count()).where(AttemptRow.state.in_(OPEN)))) != 0:
            yield f"{found} attempts are open for ever"
        if (state := session.scalar(select(CampaignRow.state))) != "finished":
            yield f"the campaign is {state}"
    if len(contacts) != trial.people:
        yield f"{len(contacts)} contacts are left of {trial.people}"
    for contact in contacts:
        dials = calls.get(contact.number, ())
        if (contact.state == ContactState.UNCERTAIN) != (contact.id in listed):
            yield f"{contact.number} is {contact.state}, and is {'' if contact.id in listed else 'not '}listed"
        elif contact.state == ContactState.DONE and contact.outcome not in _fitting(trial, contact.number, dials):
            yield f"{contact.number} has the outcome {contact.outcome} after {', '.join(str(it.ended) for it in dials)}"
        elif contact.state not in {ContactState.DONE, ContactState.UNCERTAIN}:
            yield f"{contact.number} is {contact.state}"


def _fitting(trial: Trial, number: str, dials: Sequence[Dialled]) -> Sequence[str | None]:
    """The outcomes that fit what the carrier did last."""
    if not dials:
        return ()
    script = trial.world.script(number, len(dials) - 1)
    match dials[-1].ended:
        case Reached.ANSWERED:
            return [script.outcome or Outcome.UNREACHED]
        case Reached.NO_SUCH_NUMBER:
            return [Outcome.INVALID_NUMBER]
        case None:
            return ()
        case _:
            return [Outcome.UNREACHED]


def measure(trial: Trial) -> tuple[Row, Sequence[str]]:
    """Do it; gives the row, and everything that was wrong."""
    began = time.monotonic()
    crew = rehearse(trial)
    engine, calls = database(trial.folder), at_the_carrier(trial)
    doubled, gone, listed = list(twice(calls)), list(lost(trial, engine, calls)), len(uncertain(engine))
    wrong = [*doubled, *gone]
    if listed > crew.in_flight:
        wrong.append(f"{listed} are uncertain, of {crew.in_flight} that were in flight")
    return {
        "people": trial.people,
        "calls": sum(map(len, calls.values())),
        **{f"kills of the {role}": number for role, number in sorted(crew.kills.items())},
        "twice": len(doubled),
        "lost": len(gone),
        "in flight at kills": crew.in_flight,
        "uncertain": listed,
        "seconds": round(time.monotonic() - began, 1),
    }, wrong


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(about: str | None, question: str, measure: Measure, trial: Trial, arguments: Sequence[str] | None) -> None:
    """Measure as the shell asks for; by default as ``trial`` says. Exit code 1 where something is wrong."""
    options = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--people", type=int, default=trial.people, help="how many contacts")
    options.add_argument("--kills", type=int, default=trial.kills, help="how often a process is killed")
    options.add_argument("--seed", type=int, default=trial.seed, help="of what is drawn")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="callwright-outbound-") as folder:
        row, wrong = measure(Trial(Path(folder), chosen.people, chosen.kills, chosen.seed))
    report(question, [row], json=chosen.json, notes=[f"WRONG: {it}" for it in wrong[:20]])
    sys.exit(1 if wrong else 0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    run(__doc__, QUESTION, measure, Trial(Path(), people=10_000, kills=60), arguments)


if __name__ == "__main__":
    main()
