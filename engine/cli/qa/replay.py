"""``callwright qa replay``: which verdicts a new revision of a card would change, before it counts."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from engine.cli.output import console, progress, say_json
from engine.cli.qa.opening import AsJson, moment, opened
from engine.cli.qa.shared import DEFAULT, ConfigFile
from engine.core.errors import ConfigError
from engine.qa.files import load_scorecard
from engine.qa.flips import MOVES, Impact, Rescored, proof_of
from engine.runtime.rescoring import Outcome, Rescoring, rescored
from engine.store.keys import keys_of
from engine.store.standing import Standing

_BROKEN_OFF = 130  # the shell's code for it
_SHOWN = 80  # characters of what was said

Proofs = Mapping[str, tuple[float | None, str]]
"""By question: where in the call the proof of the old verdict lies, and what is said there."""


def replay(
    card: Annotated[Path, typer.Option(help="The new revision, a YAML file.")],
    since: Annotated[str | None, typer.Option(help="Only calls that began on this day (UTC) or later.")] = None,
    against: Annotated[str | None, typer.Option(help="The name of the card that scored them; by default the same.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="Processes; by default one a core.")] = None,
    shown: Annotated[int, typer.Option(min=0, help="Calls to list, those whose score moves furthest first.")] = 10,
    config: ConfigFile = DEFAULT,
    *,
    json: AsJson = False,
) -> None:
    """Score the stored transcripts by a new revision of a card, write nothing, and tell which verdicts would flip."""
    new = load_scorecard(card)
    known, engine = opened(config)
    standing = Standing(engine, against or new.name, moment(since))
    number = standing.number()
    if not number:
        raise ConfigError(f"expected calls that a card called {against or new.name} has scored, found none")
    impact, began = Impact(), time.perf_counter()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    work = Rescoring(card.resolve(), known.qa.folder, workers or cores, keys_of(known.store.key_file))
    with _bar(number) as one_more:
        complete = _run(impact, rescored(standing.calls(), work), one_more)
    spent = time.perf_counter() - began
    facts = {"card": new.name, "revision": new.revision, "calls": number, "seconds": round(spent, 2), "complete": complete}
    worst = [(it, _proofs(standing.result(it.before.call))) for it in impact.worst[:shown]]
    if json:
        say_json(facts | _as_json(impact, worst))
    else:
        _print(impact, worst)
        rate = f"{(impact.calls + len(impact.failed)) / spent:.0f} calls/s with {work.workers} workers"
        done = f"{'' if complete else 'Broken off: '}{impact.calls} of {number} calls in {spent:.1f} s"
        console.print(f"\n{done}, {rate}; nothing was written.")
    if not complete:
        raise typer.Exit(_BROKEN_OFF)


def _run(impact: Impact, outcomes: Generator[Outcome, None, None], one_more: Callable[[], None]) -> bool:
    """Whether it came to its end, or was broken off."""
    try:
        for it in outcomes:
            impact.add(it)
            one_more()
    except KeyboardInterrupt:
        outcomes.close()  # and its workers end
        return False
    return True


@contextmanager
def _bar(number: int) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("scoring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=progress, transient=True) as shown:
        task = shown.add_task("calls", total=number)
        yield lambda: shown.advance(task)


def _proofs(result: Mapping[str, Any]) -> Proofs:
    return {it["id"]: proof_of(it) for it in result["questions"]}


def _print(impact: Impact, worst: Sequence[tuple[Rescored, Proofs]]) -> None:
    console.print(f"[bold]{impact.flips} verdicts would flip[/bold], in {len(impact.flipped)} of {impact.calls} calls\n")
    table = Table("question", "from", "to", "calls", box=None, padding=(0, 2))
    for (question, was, now), often in sorted(impact.changes.items(), key=lambda it: (it[0][0], -it[1])):
        if was != now:
            table.add_row(question, was, now, str(often))
    console.print(table, markup=False)
    if impact.compared:
        _print_moves(impact)
    for it, proofs in worst:
        _print_call(it, proofs)
    for failed in impact.failed:
        console.print(f"not scored: call {failed.before.call[:12]}: {failed.reason}", markup=False)


def _print_moves(impact: Impact) -> None:
    mean = impact.sum_of_moves / impact.compared
    console.print(f"\nscores move by {mean:+.1f} points on average; fatal calls {impact.fatal_before} → {impact.fatal_after}")
    widest = max(impact.moved.values())
    for name in MOVES:
        if impact.moved[name]:
            console.print(f"{name:>12} {impact.moved[name]:7d} {'▪' * max(1, round(40 * impact.moved[name] / widest))}")
    console.print()


def _print_call(it: Rescored, proofs: Proofs) -> None:
    before, after = ("not known" if points is None else f"{points:.1f}" for points in (it.before.points, it.points))
    console.print(f"call {it.before.call[:12]}: score {before} → {after}", markup=False)
    for flip in it.flips:
        lines = (
            f"  {flip.question}: {flip.was}{_proof(*proofs[flip.question])}",
            f"  {' ' * len(flip.question)}→ {flip.now}{_proof(flip.at, flip.text)}",
        )
        console.print("\n".join(lines), style="dim", markup=False, soft_wrap=True)


def _proof(at: float | None, text: str) -> str:
    place = "" if at is None else f" at {at:.1f} s"
    return f"{place}  {text if len(text) <= _SHOWN else f'{text[:_SHOWN]}…'}"


def _as_json(impact: Impact, worst: Sequence[tuple[Rescored, Proofs]]) -> dict[str, Any]:
    changes = sorted(impact.changes.items())
    return {
        "rescored": impact.calls,
        "flips": impact.flips,
        "changes": [{"question": question, "from": was, "to": now, "calls": often} for (question, was, now), often in changes],
        "mean_move": impact.sum_of_moves / impact.compared if impact.compared else None,
        "moves": {name: impact.moved[name] for name in MOVES},
        "fatal": {"before": impact.fatal_before, "after": impact.fatal_after},
        "calls_flipped": [_call(it, proofs) for it, proofs in worst],
        "not_scored": [{"call": it.before.call, "reason": it.reason} for it in impact.failed],
    }


def _call(it: Rescored, proofs: Proofs) -> dict[str, Any]:
    points = {"from": it.before.points, "to": it.points}
    flips = [
        {
            "question": one.question,
            "from": {"verdict": one.was, "at": proofs[one.question][0], "text": proofs[one.question][1]},
            "to": {"verdict": one.now, "at": one.at, "text": one.text},
        }
        for one in it.flips
    ]
    return {"call": it.before.call, "score": points, "flips": flips}
