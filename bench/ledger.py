"""Does the ledger lose or double anything when its runs are killed? ``python -m bench.ledger [--recordings N] [--kills K]``

Made-up recordings whose hearer only reads what is to become of them (``engine.testing.batch``): some are to be scored, some
excluded, some refused, some have the bytes of another, and a few kill the worker that hears them. The run of ``callwright qa
run``, with its worker processes, works them off in a process of its own that is killed (``SIGKILL``) again and again, at moments
drawn at random over the whole work. After every kill the account must agree, and nothing that was known may be missing; in the
end everything must have become what it was to become, with one score each.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bench.card import Row, progress, report
from bench.ledger_run import card, database
from engine.core.units import Seconds
from engine.qa.ledger import MOST_ATTEMPTS, State
from engine.store.account import account
from engine.store.database import upgrade
from engine.store.quality_models import RecordingRow, ScoreRow, SightingRow
from engine.testing.batch import HEARD, Fate, write_recording

QUESTION = "Does the ledger lose or double anything when its runs are killed?"
_LOOK_EVERY = Seconds(0.01)
_SLOWEST = Seconds(3600.0)
_DONE = (State.SCORED, State.EXCLUDED, State.FAILED)
_ENDS = {Fate.SCORED: State.SCORED, Fate.EXCLUDED: State.EXCLUDED, Fate.REFUSED: State.FAILED, Fate.POISON: State.FAILED}


@dataclass(frozen=True, slots=True)
class Trial:
    """How it is done."""

    folder: Path
    recordings: int
    kills: int
    workers: int
    """0: the run hears by itself; poison then ends only the hearing, not the process."""

    seed: int

    @property
    def poison(self) -> int:
        """How many kill their worker."""
        return max(1, self.recordings // 2500)


def fates(trial: Trial) -> Mapping[int, Fate]:
    """What is to become of each."""
    draw = Random(trial.seed)
    drawn = draw.choices([Fate.SCORED, Fate.EXCLUDED, Fate.REFUSED], [0.96, 0.02, 0.02], k=trial.recordings)
    return dict(enumerate(drawn)) | dict.fromkeys(draw.sample(range(trial.recordings), trial.poison), Fate.POISON)


def prepare(trial: Trial) -> Mapping[int, Fate]:
    """Write the recordings, and one copy for each hundred."""
    inbox = trial.folder / "in"
    inbox.mkdir(parents=True)
    drawn = fates(trial)
    for number, fate in drawn.items():
        path = inbox / f"{number:06}.wav"
        write_recording(path, number, fate)
        if number % 100 == 0:
            shutil.copy(path, inbox / f"{number:06}-copy.wav")
    return drawn


def measure(trial: Trial) -> tuple[list[Row], list[str]]:
    """Kill it, again and again; gives a row for each run, and everything that was wrong."""
    drawn = prepare(trial)
    engine = database(trial.folder)
    upgrade(engine)
    marks = sorted(Random(trial.seed + 1).sample(range(2 * trial.recordings), trial.kills))
    rows: list[Row] = []
    wrong: list[str] = []
    known: frozenset[tuple[int, str]] = frozenset()
    for number, mark in enumerate([*marks, None], 1):
        began = time.monotonic()
        ended = _one_run(trial, engine, mark)
        row, now, found = checked(trial, engine, known)
        known = now
        wrong += [f"after run {number}: {it}" for it in found]
        rows.append({"run": number, "ended": ended, **row, "seconds": round(time.monotonic() - began, 1)})
        progress(f"run {number} of {trial.kills + 1}: {ended}, {row['scored']} scored" + "".join(f"; {it}" for it in found))
    return rows, wrong + list(unlike(engine, drawn))


def _one_run(trial: Trial, engine: Engine, mark: int | None) -> str:
    """Start a run; kill it when this much is done, or let it come to its end."""
    command = [sys.executable, "-m", "bench.ledger_run", str(trial.folder), str(trial.workers)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + _SLOWEST
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if mark is not None and _done(engine) >= mark:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(_LOOK_EVERY)
        status = process.wait(deadline - time.monotonic())
    finally:
        process.kill()
    return "killed" if status == -signal.SIGKILL else "to its end" if status == 0 else f"with status {status}"


def _done(engine: Engine) -> int:
    """How far it is: a point for each recording that was seen, and one for each that is settled."""
    with Session(engine) as session:
        settled = select(func.count()).where(RecordingRow.state.in_(_DONE))
        return (session.scalar(select(func.count(RecordingRow.content))) or 0) + (session.scalar(settled) or 0)


def checked(
    trial: Trial, engine: Engine, known: frozenset[tuple[int, str]]
) -> tuple[dict[str, object], frozenset[tuple[int, str]], list[str]]:
    """The account, the scores that are there, and what is wrong with them."""
    drawn = account(engine, [card()], trial.folder / "qa", datetime.now(UTC))
    with Session(engine) as session:
        scores = frozenset((id, content) for id, content in session.execute(select(ScoreRow.id, ScoreRow.content)))
    doubled = [content for content, times in Counter(content for _, content in scores).items() if times > 1]
    wrong = [
        *drawn.disagreements,
        *([f"{len(known - scores)} scores are gone"] if known - scores else []),
        *([f"{len(doubled)} recordings have two scores"] if doubled else []),
    ]
    states = {state.value: number for state, number in drawn.states.items()}
    return {"recordings": drawn.recordings, **states, "agrees": not wrong}, scores, wrong


def unlike(engine: Engine, drawn: Mapping[int, Fate]) -> Sequence[str]:
    """What has not become what it was to become."""
    with Session(engine) as session:
        places = select(SightingRow.address, RecordingRow.state, RecordingRow.attempts).join(
            RecordingRow, RecordingRow.content == SightingRow.content
        )
        found = {Path(address).stem: (State(state), attempts) for address, state, attempts in session.execute(places)}
    wrong = []
    for number, fate in drawn.items():
        state, attempts = found.get(f"{number:06}", (None, 0))
        if state is not _ENDS[fate] or (fate is Fate.POISON) != (attempts == MOST_ATTEMPTS):
            wrong.append(f"recording {number} was to be {fate}, and is {state} after {attempts} attempts")
        if number % 100 == 0 and found.get(f"{number:06}-copy") != (state, attempts):
            wrong.append(f"the copy of recording {number} is {found.get(f'{number:06}-copy')}")
    return wrong


def heard_again(trial: Trial, drawn: Mapping[int, Fate]) -> tuple[int, int]:
    """How many were heard, and how often one was heard again: only what was in hand at a kill may be."""
    times = Counter((trial.folder / "qa" / HEARD).read_text(encoding="utf-8").split())
    poison = sum(fate is Fate.POISON for fate in drawn.values()) * (MOST_ATTEMPTS - 1)
    return len(times), times.total() - len(times) - poison


def run(trial: Trial, *, json: bool = False) -> int:
    """Measure and report; gives how much was wrong."""
    rows, wrong = measure(trial)
    heard, again = heard_again(trial, fates(trial))
    most = trial.kills * max(1, trial.workers)
    if again > most:
        wrong.append(f"{again} were heard again, of at most {most} that were in hand when a run was killed")
    rows.append({"run": "all", "recordings": trial.recordings, "heard": heard, "heard_again": again, "agrees": not wrong})
    notes = [f"{trial.kills} kills, {trial.workers} workers, {trial.poison} poison", *(f"WRONG: {it}" for it in wrong[:20])]
    report(QUESTION, rows, json=json, notes=notes)
    return len(wrong)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--recordings", type=int, default=10_000, help="how many")
    options.add_argument("--kills", type=int, default=20, help="how many runs are killed")
    options.add_argument("--workers", type=int, default=2, help="worker processes; 0 = the run hears by itself")
    options.add_argument("--seed", type=int, default=20_26, help="of what is drawn")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="callwright-ledger-") as folder:
        wrong = run(
            Trial(Path(folder), chosen.recordings, chosen.kills, chosen.workers, chosen.seed),
            json=chosen.json,
        )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
