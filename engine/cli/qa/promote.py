"""``callwright qa promote``: how far each question is trusted, changed by people and by nobody else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy import Engine

from engine.access.deeds import Deed
from engine.cli.kept import keep
from engine.cli.output import console, say_json
from engine.cli.qa.opening import AsJson, Card, card_key, opened
from engine.cli.qa.shared import DEFAULT, ConfigFile
from engine.core.errors import ConfigError
from engine.qa.calibration import calibrated
from engine.qa.promotion import Change, Proposal, Stage, confirm, lower, propose
from engine.store.reviews import Reviews
from engine.store.samples import CardKey
from engine.store.stages import Stages


def promote(
    card: Card,
    *,
    question: Annotated[list[str] | None, typer.Option(help="Only this question; may be repeated.")] = None,
    by: Annotated[str, typer.Option(help="Who decides.")] = "",
    to: Annotated[Stage | None, typer.Option(help="Trust the questions less than reviews allow.")] = None,
    why: Annotated[str, typer.Option(help="With --to: the reason.")] = "",
    seed: Annotated[int, typer.Option(help="Of the resamples that the intervals are made of.")] = 0,
    yes: Annotated[bool, typer.Option("--yes", help="Do what is proposed without asking.")] = False,
    config: ConfigFile = DEFAULT,
    json: AsJson = False,
) -> None:
    """Say what the reviews allow, up or down, and do it where somebody says yes."""
    known, engine = opened(config)
    key, stages = card_key(engine, card), Stages(engine)
    changes: Iterable[Change]
    if to is not None:
        changes = _lowered(question, stages.of(key), to, by, why)
    else:
        proposals = _proposals(engine, key, question, stages.of(key), seed)
        if not proposals and not json:
            console.print("nothing to change: every question is where the reviews allow it to be")
        changes = _confirmed(proposals, by, yes=yes, json=json)
    for change in changes:
        stages.keep(key, change, datetime.now(UTC))
        told = {"question": change.question, "stage": change.stage.value, "by": change.by}
        keep(known, engine, Deed.CHANGED, f"scorecard {key.name}", **told)
        if not json:
            console.print(f"{change.question}: {change.stage.value}, decided by {change.by}", markup=False)


def _proposals(
    engine: Engine, key: CardKey, questions: Sequence[str] | None, stages: Mapping[str, Stage], seed: int
) -> list[Proposal]:
    found = calibrated(Reviews(engine).evidence(key), seed=seed)
    _known(questions, [it.question for it in found])
    wanted = (propose(it.question, stages.get(it.question, Stage.SHADOW), it.allows) for it in found)
    return [it for it in wanted if it is not None and (not questions or it.question in questions)]


def _confirmed(proposals: Sequence[Proposal], by: str, *, yes: bool, json: bool) -> Iterator[Change]:
    for it in proposals:
        agreed = bool(by) and (yes or (not json and _asked(it)))
        if json:
            say_json({"question": it.question, "now": it.now, "to": it.to, "why": it.why, "done": agreed})
        elif not agreed or yes:
            console.print(f"{it.question}: {it.now.value} → {it.to.value}: {it.why}", markup=False, soft_wrap=True)
        if agreed:
            yield confirm(it, by)
    if proposals and not by and not json:
        console.print("nothing was changed: --by says who decides")


def _asked(it: Proposal) -> bool:
    """A yes from the terminal; where there is none, a no."""
    return sys.stdin.isatty() and typer.confirm(f"{it.question}: {it.now.value} → {it.to.value}: {it.why}. Yes?")


def _lowered(questions: Sequence[str] | None, stages: Mapping[str, Stage], to: Stage, by: str, why: str) -> list[Change]:
    if not questions or not why.strip():
        raise ConfigError("--to: expected --question and --why beside it")
    return [lower(it, stages.get(it, Stage.SHADOW), to, by, why) for it in questions]


def _known(questions: Sequence[str] | None, known: Sequence[str]) -> None:
    for it in questions or ():
        if it not in known:
            raise ConfigError(f"--question: expected one of {', '.join(known) or 'none, as nothing was drawn'}, found {it!r}")
