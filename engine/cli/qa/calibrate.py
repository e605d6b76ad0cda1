"""``callwright qa calibrate``: how far the score can be trusted, question by question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from engine.cli.output import console, progress, say_json
from engine.cli.qa.opening import AsJson, Card, card_key, opened, print_whole
from engine.cli.qa.shared import DEFAULT, ConfigFile
from engine.core.errors import ConfigError
from engine.core.units import Language
from engine.qa.agreement import AXIS, RESAMPLES, Measured
from engine.qa.calibration import Calibrated, Evidence, Whole, calibrated, whole
from engine.qa.estimates import Estimate, calls_for_half_width
from engine.qa.promotion import Stage, propose
from engine.store.reviews import Reviews
from engine.store.samples import CardKey
from engine.store.stages import Stages

_HALF_WIDTH = 0.025
_WIDTH = 170  # characters
_COLUMNS = ("question", "calls", "fails", "kappa", "AC1", "precision", "recall", "decided", "wrong", "people", "stage", "allowed")


def calibrate(
    card: Card,
    language: Annotated[str | None, typer.Option(help="Only calls of this language.")] = None,
    seed: Annotated[int, typer.Option(help="Of the resamples that the intervals are made of.")] = 0,
    config: ConfigFile = DEFAULT,
    *,
    json: AsJson = False,
) -> None:
    """Compare the engine's verdicts with people's on the drawn calls, and say what that proves of all calls."""
    _, engine = opened(config)
    key = card_key(engine, card)
    reviews = Reviews(engine)
    evidence = reviews.evidence(key)
    if language is not None:
        evidence = evidence.of(Language(language))
    if not any(it.said for it in evidence.calls):
        raise ConfigError(f"expected drawn calls of {key.name} ({key.revision[:8]}) that somebody has scored, found none")
    with progress.status("resampling ..."):
        found, score = calibrated(evidence, seed=seed), whole(evidence)
    stages = Stages(engine).of(key)
    if json:
        say_json(_as_json(key, found, score, stages) | {"language": language, "seed": seed, "resamples": RESAMPLES})
    else:
        _print(key, found, stages)
        _print_whole(score, evidence, reviews.not_blind(key))


def _print(key: CardKey, found: Sequence[Calibrated], stages: Mapping[str, Stage]) -> None:
    console.print(f"[bold]{key.name}[/bold] ({key.revision[:8]}): engine against people, with 95 % intervals\n")
    table = Table(*_COLUMNS, box=None, padding=(0, 1))
    for it in found:
        table.add_row(*_row(it), stages.get(it.question, Stage.SHADOW).value, it.allows.standing.value.replace("_", " "))
    print_whole(table, _WIDTH)
    for it in found:
        if it.allows.missing:
            console.print(
                f"{it.question}: for automatic {'; '.join(it.allows.missing)}", style="dim", markup=False, soft_wrap=True
            )


def _row(it: Calibrated) -> tuple[str, ...]:
    figures, among = it.agreement.figures, it.people.figures["ac1"].value
    told = [_told(figures[name]) for name in ("kappa", "ac1", "precision", "recall")]
    decided = f"{100 * (figures['coverage'].value or 0.0):.0f} %"
    people = "–" if among is None else f"{among:.2f} ({it.people.calls})"
    return it.question, str(it.agreement.calls), str(it.agreement.violations), *told, decided, _share(it.wrong), people


def _print_whole(score: Whole, evidence: Evidence, not_blind: int) -> None:
    console.print(f"\n{score.scored} of {score.drawn} drawn calls scored, of {_all_calls(evidence)}. Of all calls:")
    console.print(
        f"  the score is off by   {_points(score.off)} on average (engine less people: {_points(score.lean)})", soft_wrap=True
    )
    console.print(f"  falsely fatal         {_share(score.false_fatal)}")
    if score.overturned.value is not None:
        console.print(f"  appeals upheld        {_share(score.overturned)} of {score.overturned.scored} answered")
    if not_blind:
        console.print(f"{not_blind} verdicts were given with the engine's in sight, and are left out.")


def _all_calls(evidence: Evidence) -> int:
    return max((sum(strata.values()) for strata in evidence.sizes.values()), default=0)


def _told(it: Measured) -> str:
    if it.value is None:
        return "–"
    return f"{it.value:.2f} ({'?' if it.low is None else f'{it.low:.2f}'}–{'?' if it.high is None else f'{it.high:.2f}'})"


def _share(it: Estimate) -> str:
    return "–" if it.value is None else f"{100 * it.value:.1f} % ({100 * it.low:.1f}–{100 * it.high:.1f})"


def _points(it: Estimate) -> str:
    return "–" if it.value is None else f"{it.value:.1f} points ({it.low:.1f} to {it.high:.1f})"


def _as_json(key: CardKey, found: Sequence[Calibrated], score: Whole, stages: Mapping[str, Stage]) -> dict[str, Any]:
    return {
        "card": key.name,
        "revision": key.revision,
        "drawn": score.drawn,
        "scored": score.scored,
        "off": asdict(score.off),
        "lean": asdict(score.lean),
        "false_fatal": asdict(score.false_fatal),
        "overturned": asdict(score.overturned),
        "questions": [_question(it, stages.get(it.question, Stage.SHADOW)) for it in found],
    }


def _question(it: Calibrated, stage: Stage) -> dict[str, Any]:
    proposal = propose(it.question, stage, it.allows)
    return {
        "question": it.question,
        "calls": it.agreement.calls,
        "violations": it.agreement.violations,
        "axis": list(AXIS),
        "counts": it.agreement.counts,
        "figures": {name: asdict(one) for name, one in it.agreement.figures.items()},
        "curve": [asdict(one) for one in it.agreement.curve],
        "people": {
            "calls": it.people.calls,
            "ac1": asdict(it.people.figures["ac1"]),
            "kappa": asdict(it.people.figures["kappa"]),
        },
        "wrong": asdict(it.wrong),
        "calls_for_2_5_points": calls_for_half_width(it.wrong, _HALF_WIDTH),
        "stage": stage,
        "allowed": it.allows.standing,
        "floor": it.allows.floor,
        "missing": list(it.allows.missing),
        "proposal": proposal and proposal.to,
    }
