"""``callwright learn``: what the answers of silent agents teach."""

from __future__ import annotations

import getpass
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from engine.assist.learning.bars import Bars
from engine.assist.learning.bearing import meaning_of_typed
from engine.assist.learning.corrections import Correction, SetAside, Sorted, Why, sort_out
from engine.assist.learning.effects import Arm, Effect
from engine.assist.learning.shares import Share
from engine.assist.learning.study import FEWEST, School, Study, study
from engine.cli.learned_file import ExamplesFile
from engine.cli.output import console, progress, say_json
from engine.config import load_config
from engine.ivr.files import load_flow
from engine.nlu.encoder import UniversalSentenceEncoder
from engine.runtime.models import Lesson
from engine.store.database import connect
from engine.store.label_reading import ReadLabels, read_labels

_SHOWN = 20  # of each kind, without --json


def learn(
    flow: Annotated[Path, typer.Option(help="The flow file.")],
    examples: Annotated[Path, typer.Option(help="The file of examples that the flow reads, JSON lines.")],
    config: Annotated[Path, typer.Option(help="The configuration file, for its database.")] = Path("engine.toml"),
    database: Annotated[str | None, typer.Option(help="An SQLAlchemy address instead.")] = None,
    goal: Annotated[float, typer.Option(min=0.001, max=0.5, help="Share of wrong jumps to stay under.")] = 0.01,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Write the examples, after a yes.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take out what was written last; nothing else is done.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Propose examples and thresholds from what silent agents answered, with their effect on answers not learned from."""
    file = ExamplesFile(examples, flow)
    if undo:
        console.print(f"{examples}: as it was in {file.undo()}", markup=False)
        return
    before = file.read()
    kept = read_labels(connect(database or load_config(config).store.database))
    sorted_out, result = _studied(flow, kept, goal)
    if json:
        say_json(_as_json(kept, sorted_out, result))
    else:
        _print(kept, sorted_out, result)
    if apply and result.proposed:
        _apply(file, before, result, yes=yes)


def _studied(path: Path, kept: ReadLabels, goal: float) -> tuple[Sorted, Study]:
    flow = load_flow(path)
    school = School(flow, Lesson.of(flow).names, UniversalSentenceEncoder())
    progress.print(f"{len(kept.labels)} labels; learning the flow's {sum(map(len, flow.examples.values()))} examples")
    base = school.taught()
    sorted_out = sort_out(kept.labels, flow, meaning_of_typed(flow, base))
    progress.print(f"{len(sorted_out.corrections)} corrections; learning from parts of them, judging on the rest")
    return sorted_out, study(sorted_out.corrections, school, base, goal)


def _apply(file: ExamplesFile, before: str, result: Study, *, yes: bool) -> None:
    question = f"Put {len(result.proposed)} examples into {file.path}?"
    if not yes and not (sys.stdin.isatty() and typer.confirm(question, err=True)):
        progress.print(f"{file.path}: nothing was changed; say yes at the terminal, or --yes", markup=False)
        raise typer.Exit(1)
    kept = file.apply(before, result.proposed, getpass.getuser(), datetime.now(UTC))
    progress.print(f"{file.path}: {len(result.proposed)} examples more; as it was: {kept}", markup=False)


def _as_json(kept: ReadLabels, sorted_out: Sorted, result: Study) -> dict[str, Any]:
    """The shape others rely on."""
    return {
        "labels": len(kept.labels),
        "unreadable": list(kept.unreadable),
        "corrections": len(sorted_out.corrections),
        "late": sum(one.label.late for one in sorted_out.corrections),
        "aside": [{**_told(one), "why": one.why.name.lower()} for one in sorted_out.aside],
        "examples": [_told(one) for one in result.proposed],
        "surprising": [_told(one) for one in result.surprising],
        "judged": result.judged,
        "groups": result.groups,
        "groups_for_thresholds": result.groups_for_bars,
        "thresholds": None if result.bars is None else _bars(result.bars),
        "today": _figures(result.today),
        "with_examples": _figures(result.with_examples),
        "with_thresholds": _figures(result.with_thresholds),
        "changed": None if result.changed is None else asdict(result.changed),
        "intents": [{**asdict(effect), "worse": effect.worse} for effect in result.effects],
    }


def _told(one: Correction | SetAside) -> dict[str, Any]:
    task = one.label.task
    whence = {"agent": one.label.agent, "call": task.id.call, "task": task.id.number, "late": one.label.late}
    return {"text": task.words, "intent": one.intent, "lang": task.language, **whence}


def _bars(bars: Bars) -> dict[str, Any]:
    return {"flow": asdict(bars.everywhere), "intents": {intent: {"accept": it} for intent, it in bars.accepts.items()}}


def _figures(arm: Arm | None) -> Mapping[str, Any] | None:
    return None if arm is None else asdict(arm)


def _print(kept: ReadLabels, sorted_out: Sorted, result: Study) -> None:
    for complaint in kept.unreadable:
        progress.print(complaint, markup=False)
    console.print(f"{len(kept.labels)} labels, {len(sorted_out.corrections)} corrections, {len(result.proposed)} new wordings")
    _list("Proposed examples", [f"{one.intent}: {one.words}" for one in result.proposed])
    _list("Would jump elsewhere today: listen to them first", [f"{one.intent}: {one.words}" for one in result.surprising])
    _print_aside(sorted_out)
    _print_arms(result)
    _print_effects([effect for effect in result.effects if effect.worse])
    _print_bars(result)


def _list(title: str, lines: list[str]) -> None:
    if lines:
        console.print(f"\n[bold]{title}[/bold] ({len(lines)})")
        for line in lines[:_SHOWN]:
            console.print(f"  {line}", markup=False)
        if len(lines) > _SHOWN:
            console.print(f"  and {len(lines) - _SHOWN} more: --json lists all")


def _print_aside(sorted_out: Sorted) -> None:
    counted = Counter(one.why for one in sorted_out.aside)
    if counted:
        console.print("\n[bold]Not used[/bold]: " + "; ".join(f"{why.value} {count}" for why, count in counted.most_common()))
    against = [one for one in sorted_out.aside if one.why in {Why.DISAGREE, Why.AGAINST_EXAMPLES}]
    _list("People differ", [f"{one.label.task.words} → {one.intent} ({one.label.agent}; {one.why.value})" for one in against])


def _print_arms(result: Study) -> None:
    if result.today is None:
        console.print(f"\nToo few to judge: {result.groups} independent corrections, {FEWEST} are needed.")
        return
    title = f"{result.judged} corrections, {result.groups} of them independent, none judged by what was learned from it"
    table = Table(
        "", "understood", "jump right", "jump wrong", "asked back", "handed over", title=f"\n{title}", title_justify="left"
    )
    for name, arm in _arms(result):
        shares = (arm.understood, arm.jumped_right, arm.jumped_wrong, arm.asked_back, arm.handed_over)
        table.add_row(name, *map(_with_interval, shares))
    console.print(table)
    if result.changed is not None:
        console.print(
            f"From today to the last row: understood {_moved(result.changed.understood)}, "
            f"jump wrong {_moved(result.changed.jumped_wrong)}, handed over {_moved(result.changed.handed_over)} (points, 95 %)"
        )


def _arms(result: Study) -> Iterator[tuple[str, Arm]]:
    named = (("today", result.today), ("+ examples", result.with_examples), ("+ thresholds", result.with_thresholds))
    yield from ((name, arm) for name, arm in named if arm is not None)


def _print_effects(worse: list[Effect]) -> None:
    if not worse:
        return
    columns = ("gets worse", "corrections", "understood", "jump wrong", "own examples", "jump right", "jump wrong")
    table = Table(*columns, title="\nBefore → after, by intent", title_justify="left")
    for one in worse:
        pairs = (one.understood, one.jumped_wrong), (one.examples_right, one.examples_wrong)
        mine, own = ([f"{now} → {then}" for now, then in both] for both in pairs)
        table.add_row(one.intent, str(one.phrases), *mine, str(one.examples), *own)
    console.print(table)


def _print_bars(result: Study) -> None:
    if result.bars is None:
        why = f"a promise needs {result.groups_for_bars} independent corrections, there are {result.groups}"
        if result.groups >= result.groups_for_bars:
            why = "with none would so few jumps go wrong"
        console.print(f"\nNo thresholds are proposed: {why}.")
        return
    console.print("\n[bold]Proposed thresholds[/bold], for the flow file:")
    console.print("\n".join(_yaml(result.bars)), markup=False)


def _yaml(bars: Bars) -> Iterator[str]:
    it = bars.everywhere
    yield f"  thresholds: {{accept: {it.accept:.2f}, confirm: {it.confirm:.2f}, margin: {it.margin:.2f}}}"
    if bars.accepts:
        yield "  intents:"
    for intent, accept in bars.accepts.items():
        yield f"    {intent}:\n      thresholds: {{accept: {accept:.2f}}}"


def _with_interval(it: Share) -> str:
    return f"{100 * it.value:.1f} % ({100 * it.low:.1f}–{100 * it.high:.1f})"


def _moved(it: Share) -> str:
    return f"{100 * it.value:+.1f} ({100 * it.low:+.1f} to {100 * it.high:+.1f})"
