"""``callwright replay``: recorded conversations once more, through the same flow, another one, or other thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import console, say_json
from engine.config import load_config
from engine.core.call import CallId
from engine.core.errors import ConfigError
from engine.core.units import Language, Seconds, confidence
from engine.dialogue.codec import from_json, to_json
from engine.dialogue.events import Event, Tick
from engine.dialogue.graph import Flow
from engine.dialogue.replay import replay as run_again
from engine.ivr.files import load_flow
from engine.store.database import connect
from engine.store.journal import Journal, Step
from engine.store.models import CallRow


def replay(
    calls: Annotated[list[str] | None, typer.Argument(help="Call ids; none = every call.")] = None,
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("engine.toml"),
    flow: Annotated[Path | None, typer.Option(help="Another flow file than the configured one.")] = None,
    accept: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="Another threshold for jumping at once.")] = None,
    confirm: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="Another threshold for asking back.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a call.")] = False,
) -> None:
    """Run calls again from the journal and say where they would have gone another way; exit code 1 where one does."""
    settings = load_config(config)
    paths = [flow] if flow else settings.flow.paths.values() if settings.flow else []
    flows = [_with_thresholds(load_flow(path), accept, confirm) for path in paths]
    journal = Journal(connect(settings.store.database))
    try:
        differ = sum([_replayed(journal, row, _through(row, flows), json=json) for row in _rows(journal, calls)])
    finally:
        journal.close()
    if differ:
        raise typer.Exit(1)


def _through(row: CallRow, flows: list[Flow]) -> Flow:
    """The only flow there is, or the one the call went through."""
    if len(flows) == 1:
        return flows[0]
    for flow in flows:
        if flow.name == row.flow:
            return flow
    raise ConfigError(f"{row.id}: expected a configured flow named {row.flow!r}, found {[flow.name for flow in flows]}")


def _with_thresholds(flow: Flow, accept: float | None, confirm: float | None) -> Flow:
    limits = flow.thresholds
    if accept is not None:
        limits = replace(limits, accept=confidence(accept))
    if confirm is not None:
        limits = replace(limits, confirm=confidence(confirm))
    return replace(flow, thresholds=limits)


def _rows(journal: Journal, calls: list[str] | None) -> Iterator[CallRow]:
    if not calls:
        yield from journal.calls()
    for call in calls or ():
        row = journal.call(CallId(call))
        if row is None:
            raise ConfigError(f"expected a call of the journal, found {call!r}")
        yield row


def _replayed(journal: Journal, row: CallRow, flow: Flow, *, json: bool) -> bool:
    steps = journal.steps(CallId(row.id))
    language = None if row.language is None else Language(row.language)
    reactions = run_again(flow, map(_fed, steps), language=language, agents=row.agents)
    done = [to_json(actions) for _, actions in reactions]
    differs = next((n for n, step in enumerate(steps) if n >= len(done) or step.actions != done[n]), None)
    if json:
        say_json({"call": row.id, "steps": len(steps), "same": differs is None, "first_difference": differs})
    elif differs is None:
        console.print(f"{row.id}: the same, byte for byte ({len(steps)} steps)")
    else:
        console.print(f"{row.id}: goes another way at {steps[differs].at:.2f} s (step {differs + 1} of {len(steps)})")
        console.print(
            f"    then: {steps[differs].actions}\n    now:  {done[differs] if differs < len(done) else 'nothing'}", markup=False
        )
    return differs is not None


def _fed(step: Step) -> tuple[Seconds, Event | Tick]:
    event = Tick() if step.event is None else from_json(step.event)
    if isinstance(event, Tick | Event):
        return step.at, event
    raise ConfigError(f"expected an event in step {step.number} of the journal, found {type(event).__name__}")
