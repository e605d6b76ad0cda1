"""The same over real SIP: does a campaign call anybody twice when its processes are killed? ``python -m bench.outbound_sip``

The called people are sipp's (``engine/testing/sipp/called.xml``): it answers every number but those that end in 9, which are
busy, and logs each INVITE with its attempt. The dialler and its SIP process are killed (``SIGKILL``) at random moments. SIP
remembers nothing, so every call that was in flight at a kill is uncertain: listed, and not called again.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import as_file, files
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from socket import SOCK_DGRAM
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from bench import outbound_run
from bench.card import Row, progress
from bench.outbound_kills import Trial, open_attempts, run
from bench.outbound_run import database
from engine.core.errors import ConfigError
from engine.outbound.contacts import ContactState, Outcome
from engine.store.database import upgrade
from engine.store.outbound_models import ContactRow
from engine.store.uncertain import uncertain
from engine.testing.campaigns import ATTEMPTS, made_up
from engine.testing.sip_callers import LOOPBACK, free_port

QUESTION = "Does a campaign over SIP call anybody twice, or lose anybody, when its processes are killed?"
_PROCESSES: Final = get_context("forkserver")
_PROCESSES.set_forkserver_preload(["bench.outbound_run"])
_DIALLED: Final = re.compile(r"^dialled (\+\d+) ([0-9a-f]+)$", re.MULTILINE)


@contextlib.contextmanager
def called_people(folder: Path) -> Iterator[int]:
    """sipp, as everybody; its port.

    Raises:
        ConfigError: it is not installed.
    """
    program = shutil.which("sipp")
    if program is None:
        raise ConfigError("expected the program sipp, found none (apt install sip-tester)")
    port, media = free_port(SOCK_DGRAM), free_port(SOCK_DGRAM)
    with as_file(files("engine.testing").joinpath("sipp", "called.xml")) as scenario:
        command = [program, "-sf", str(scenario), "-i", LOOPBACK, "-p", str(port), "-mi", LOOPBACK, "-mp", str(media)]
        command += ["-nostdin", "-trace_logs", "-log_file", str(folder / "calls.log")]
        sipp = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        sipp.send_signal(signal.SIGUSR1)  # it writes its log to the end
        with contextlib.suppress(subprocess.TimeoutExpired):
            sipp.wait(10)
        sipp.kill()
        sipp.wait()


def at_the_telephones(folder: Path) -> Mapping[str, Sequence[str]]:
    """The attempts that came to each number, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    log = folder / "calls.log"
    for number, attempt in _DIALLED.findall(log.read_text(encoding="utf-8") if log.exists() else ""):
        found[number].append(attempt)
    return found


def wrongs(engine: Engine, people: int, calls: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Everybody who was called twice, or was lost."""
    for number, attempts in calls.items():
        most = ATTEMPTS if number.endswith("9") else 1
        if len(set(attempts)) < len(attempts) or len(attempts) > most:
            yield "twice", f"{number} was called {len(attempts)} times"
    with Session(engine) as session:
        contacts = session.scalars(select(ContactRow)).all()
    if len(contacts) != people:
        yield "lost", f"{len(contacts)} contacts are left of {people}"
    listed = {it.contact for it in uncertain(engine)}
    for it in contacts:
        if it.state == ContactState.UNCERTAIN and it.id in listed:
            continue
        fitting, least = (Outcome.UNREACHED, ATTEMPTS) if it.number.endswith("9") else (Outcome.INFORMED, 1)
        if it.outcome != fitting or len(calls.get(it.number, ())) < least:
            yield "lost", f"{it.number} is {it.state} with {it.outcome}, and was called {len(calls.get(it.number, ()))} times"


def measure(trial: Trial) -> tuple[Row, Sequence[str]]:
    """Do it; gives the row, and everything that was wrong."""
    began = time.monotonic()
    engine = database(trial.folder)
    upgrade(engine)
    made_up(engine, trial.people)
    with called_people(trial.folder) as port:
        in_flight, kills = _rehearse(trial, engine, port)
    calls = at_the_telephones(trial.folder)
    found, listed = list(wrongs(engine, trial.people, calls)), len(uncertain(engine))
    wrong = [what for _, what in found]
    if listed > in_flight:
        wrong.append(f"{listed} are uncertain, of {in_flight} that were in flight")
    return {
        "people": trial.people,
        "calls": sum(map(len, calls.values())),
        **{f"kills of the {role}": number for role, number in sorted(kills.items())},
        **{kind: sum(it == kind for it, _ in found) for kind in ("twice", "lost")},
        "in flight at kills": in_flight,
        "uncertain": listed,
        "seconds": round(time.monotonic() - began, 1),
    }, wrong


def _rehearse(trial: Trial, engine: Engine, port: int) -> tuple[int, Mapping[str, int]]:
    """Run the campaign to its end, with the kills; how many calls were in flight at them, and what was killed."""
    draw, in_flight, kills = Random(trial.seed), 0, defaultdict[str, int](int)
    marks = sorted(draw.randrange(1, trial.people) for _ in range(trial.kills))
    dialler, deadline = _started(trial.folder, port), time.monotonic() + trial.slowest
    try:
        while dialler.is_alive() or dialler.exitcode != 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"expected an end within {trial.slowest:g} s")
            if marks and _made(trial.folder) >= marks[0]:
                role = draw.choice(["dialler", "SIP process"])
                before = open_attempts(engine)
                if (pid := dialler.pid if role == "dialler" else _child(dialler)) is not None:
                    os.kill(pid, signal.SIGKILL)
                    in_flight += max(before, open_attempts(engine))
                    kills[role] += 1
                    progress(f"kill {sum(kills.values())} of {trial.kills}, at {_made(trial.folder)} calls")
                    del marks[0]
            if not dialler.is_alive() and dialler.exitcode:
                dialler = _started(trial.folder, port)
            time.sleep(0.02)
    finally:
        dialler.kill()
        dialler.join()
    return in_flight, kills


def _started(folder: Path, port: int) -> BaseProcess:
    process = _PROCESSES.Process(target=outbound_run.dial_by_sip, args=(folder, port))
    process.start()
    return process


def _child(process: BaseProcess) -> int | None:
    """Its SIP process."""
    with contextlib.suppress(OSError):
        found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        return int(found[0]) if found else None
    return None


def _made(folder: Path) -> int:
    log = folder / "calls.log"
    return log.read_bytes().count(b"dialled") if log.exists() else 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    run(__doc__, QUESTION, measure, Trial(Path(), people=1_000, kills=10), arguments)


if __name__ == "__main__":
    main()
