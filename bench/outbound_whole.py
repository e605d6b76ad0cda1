"""The same with a whole engine that talks: ``callwright bench outbound_whole``

The dialler is ``callwright serve`` as a bank runs it, with models, journal, recordings and a flow, and the people are a process
too: telephones that say hello and yes, over real SIP and RTP. Killed (``SIGKILL``) at random moments are the engine, its SIP
process, and the people's telephones, all of them at once, as if the carrier's switch fell over.

Everything is counted at the telephones, from what they wrote down before they rang, and once they had heard the engine speak:

* twice: somebody called again who had heard us, an attempt that rang twice, or more calls than the campaign makes;
* lost: somebody without an outcome who is not listed as uncertain either, or with one that is not what happened. Where the
  telephone died in the middle of a call, whatever the engine makes of that is right, but for a second call;
* uncertain: SIP remembers nothing, so it is every call that was in flight when the engine or its SIP process died, unless the
  journal says what it came to. There may be no more.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from socket import SOCK_DGRAM
from typing import Final

from sqlalchemy import Engine as Database
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bench import outbound_street
from bench.capacity_engine import Engine
from bench.card import Row, progress
from bench.outbound import engine
from bench.outbound_kills import Trial, open_attempts, run
from bench.outbound_run import database
from bench.outbound_street import Rung
from engine.core.units import Seconds
from engine.outbound.contacts import ContactState, Outcome
from engine.store.database import upgrade
from engine.store.outbound_models import CampaignRow, ContactRow
from engine.store.uncertain import uncertain
from engine.testing.campaigns import ATTEMPTS, made_up
from engine.testing.sip_callers import free_port

QUESTION = "Does a whole engine that talks call anybody twice, or lose anybody, when it is killed?"
_FLOW: Final = Path(__file__).parent / "outbound_flow.yaml"
_LINES: Final = 8
_ROLES: Final = ("engine", "SIP process", "telephones")
_PROCESSES: Final = get_context("forkserver")
_PROCESSES.set_forkserver_preload(["bench.outbound_street"])
_CUT_OFF: Final = frozenset({Outcome.INFORMED, Outcome.HUNG_UP, Outcome.UNREACHED})
_CONFIG: Final = """
[flow]
path = "flow.yaml"
[asr]
second = ""
[tts]
cache = "{cache}"
[store]
database = "sqlite:///outbound.db"
recordings = "recordings"
[qa]
folder = "qa"
[calls]
max_calls = {places}
[doors]
http = {{ port = 0 }}
audiosocket = {{ port = 0 }}
sip = {{ port = 0, rtp_ports = [{rtp}, {rtp_end}] }}
[outbound]
lines = {lines}
calls_a_second = 20
folder = "outbound"
sip = {{ address = "sip:{{number}}@127.0.0.1:{people}" }}
"""


@dataclass(slots=True)
class Town:
    """The engine, and the telephones."""

    trial: Trial
    people: int = field(default_factory=lambda: free_port(SOCK_DGRAM))
    """Their port."""
    in_flight: int = 0
    """Calls that were open when the engine or its SIP process was killed, summed."""
    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_ROLES, 0))
    starts: int = 0
    running: Engine | None = None
    telephones: BaseProcess | None = None
    _engine: ExitStack = field(default_factory=ExitStack)

    def start_engine(self) -> None:
        """Start it, and wait until it dials."""
        rtp = 12_000 + (os.getpid() + self.starts) % 40 * 400  # a killed one's ports may linger
        self.starts += 1
        config = _CONFIG.format(
            cache=Path.cwd() / "var" / "prompts", places=_LINES + 4, lines=_LINES, rtp=rtp, rtp_end=rtp + 399, people=self.people
        )
        self.running = self._engine.enter_context(engine(self.trial.folder, config))

    def start_telephones(self) -> None:
        """Plug them in."""
        self.telephones = _PROCESSES.Process(target=outbound_street.live, args=(self.trial.folder, self.people, self.trial.seed))
        self.telephones.start()

    def kill(self, role: str, kept: Database) -> None:
        """Kill one, and start it anew where nobody else does."""
        before = open_attempts(kept)
        self.kills[role] += 1
        if role == "telephones":
            assert self.telephones is not None
            self.telephones.kill()
            self.telephones.join()
            outbound_street.cut_off(self.trial.folder)
            self.start_telephones()
            return
        assert self.running is not None
        os.kill(self.running.process.pid if role == "engine" else self.sip_process(), signal.SIGKILL)
        if role == "engine":
            self.running.process.wait()
        self.in_flight += max(before, open_attempts(kept))
        if role == "engine":
            self._engine.close()
            self.start_engine()

    def sip_process(self) -> int:
        """Its id."""
        assert self.running is not None
        commands = {it: Path(f"/proc/{it}/cmdline") for it in self.running.family()}
        return next(pid for pid, path in commands.items() if b"engine.telephony.sip.process" in path.read_bytes())

    def close(self) -> None:
        """End both."""
        self._engine.close()
        if self.telephones is not None:
            self.telephones.kill()
            self.telephones.join()


def rehearse(trial: Trial, kept: Database) -> Town:
    """Run the campaign to its end, with the kills.

    Raises:
        TimeoutError: it never comes to its end.
    """
    draw, town, deadline = Random(trial.seed), Town(trial), time.monotonic() + trial.slowest
    marks = sorted(draw.randrange(1, trial.people) for _ in range(trial.kills))
    roles = [_ROLES[place % len(_ROLES)] for place in range(trial.kills)]
    draw.shuffle(roles)
    try:
        town.start_telephones()
        town.start_engine()
        while _left(kept):
            if time.monotonic() > deadline:
                raise TimeoutError(f"expected an end within {trial.slowest:g} s, found {_left(kept)} people left")
            made = outbound_street.made(trial.folder)
            if marks and made >= marks[0] and open_attempts(kept):
                time.sleep(draw.uniform(0.0, 5.0))  # the moment is any of a call's
                town.kill(roles[len(marks) - 1], kept)
                del marks[0]
                progress(f"kill {trial.kills - len(marks)} of {trial.kills}, at {made} calls")
            time.sleep(0.05)
    finally:
        town.close()
    return town


def _left(kept: Database) -> int:
    """How many have neither an outcome nor are listed."""
    going = ContactRow.state.in_([ContactState.WAITING, ContactState.DIALLING])
    with Session(kept) as session:
        return session.scalar(select(func.count()).where(going)) or 0


def wrongs(kept: Database, trial: Trial, town: Town, calls: Mapping[str, Sequence[Rung]]) -> Iterator[tuple[str, str]]:
    """Everybody who was called twice, or was lost."""
    most = ATTEMPTS + town.kills["telephones"]  # who rang in the moment of their death may not have counted
    for number, rung in calls.items():
        if len({it.attempt for it in rung}) < len(rung) or len(rung) > most or any(it.heard for it in rung[:-1]):
            yield "twice", f"{number} was called {len(rung)} times: {rung}"
    with Session(kept) as session:
        contacts = session.scalars(select(ContactRow)).all()
    if len(contacts) != trial.people:
        yield "lost", f"{len(contacts)} contacts are left of {trial.people}"
    listed = {it.contact for it in uncertain(kept)}
    for it in contacts:
        rung = calls.get(it.number, ())
        if it.state == ContactState.UNCERTAIN and it.id in listed:
            continue
        if it.state != ContactState.DONE or not rung or it.outcome not in _fitting(rung):
            yield "lost", f"{it.number} is {it.state} with {it.outcome}, and was called so: {list(rung)}"


def _fitting(rung: Sequence[Rung]) -> frozenset[Outcome]:
    """The outcomes that fit what happened last."""
    if rung[-1].cut_off:
        return _CUT_OFF
    return frozenset({Outcome.INFORMED if rung[-1].heard else Outcome.UNREACHED})


def measure(trial: Trial) -> tuple[Row, Sequence[str]]:
    """Do it; gives the row, and everything that was wrong."""
    began, kept = time.monotonic(), database(trial.folder)
    upgrade(kept)
    shutil.copy(_FLOW, trial.folder / "flow.yaml")
    outbound_street.record_words(trial.folder)
    made_up(kept, trial.people, lines=_LINES)
    with Session(kept) as session, session.begin():
        session.execute(update(CampaignRow).values(place=str(trial.folder)))
    town = rehearse(trial, kept)
    calls = outbound_street.at_the_telephones(trial.folder)
    found, listed = list(wrongs(kept, trial, town, calls)), len(uncertain(kept))
    wrong = [what for _, what in found]
    if listed > town.in_flight:
        wrong.append(f"{listed} are uncertain, of {town.in_flight} that were in flight")
    kinds = defaultdict[str, int](int)
    for kind, _ in found:
        kinds[kind] += 1
    return {
        "people": trial.people,
        "calls": sum(map(len, calls.values())),
        "heard us": sum(it.heard for rung in calls.values() for it in rung),
        **{f"kills of the {role}": number for role, number in town.kills.items()},
        "twice": kinds["twice"],
        "lost": kinds["lost"],
        "in flight at kills": town.in_flight,
        "uncertain": listed,
        "seconds": round(time.monotonic() - began, 1),
    }, wrong


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    run(__doc__, QUESTION, measure, Trial(Path(), people=300, kills=12, slowest=Seconds(3600.0)), arguments)


if __name__ == "__main__":
    main()
