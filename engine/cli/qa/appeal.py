"""``callwright qa appeal``: agents' objections and their answers."""

from __future__ import annotations

import json as json_text
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy import Engine

from engine.cli.output import console, say_json
from engine.cli.qa.opening import AsJson, opened
from engine.cli.qa.shared import DEFAULT, ConfigFile
from engine.qa.appeals import Answer, Appeal, AppealState, Terms, due, is_late
from engine.qa.checks import Verdict
from engine.qa.effective import Effective, effective
from engine.store.appeals import Appeals, KeptAppeal
from engine.store.reviews import Reviews

app = typer.Typer(help="Objections to verdicts, and their answers.", no_args_is_help=True)
_Days = Annotated[int, typer.Option(min=1, help="Days after its scoring in which a verdict can be objected to.")]
_DaysToAnswer = Annotated[int, typer.Option(min=1, help="Days after which an open appeal is late.")]


@app.command("open")
def open_(
    call: Annotated[str, typer.Option(help="The call: its hash, or the beginning of it.")],
    card: Annotated[str, typer.Option(help="The card's name.")],
    question: Annotated[str, typer.Option(help="The question whose verdict is wrong.")],
    by: Annotated[str, typer.Option(help="Who objects.")],
    text: Annotated[str, typer.Option(help="Why.")],
    *,
    days: _Days = 14,
    config: ConfigFile = DEFAULT,
    json: AsJson = False,
) -> None:
    """Object to the newest verdict of a card on a call."""
    _, engine = opened(config)
    terms = Terms(timedelta(days=days))
    kept = Appeals(engine, terms).open(call, card, Appeal(question, by, datetime.now(UTC), text))
    if json:
        say_json(_as_json(kept, terms))
    else:
        console.print(f"appeal {kept.id}: {question} of call {kept.call[:12]} is {kept.verdict.value}; ", end="", markup=False)
        console.print(f"to be answered by {due(kept.appeal, terms):%Y-%m-%d}")


@app.command()
def answer(
    appeal: Annotated[int, typer.Argument(help="The appeal's number.")],
    by: Annotated[str, typer.Option(help="Who answers: nobody who has a part in it.")],
    text: Annotated[str, typer.Option(help="Why.")],
    uphold: Annotated[Verdict | None, typer.Option(help="The appeal is right, and so is this verdict.")] = None,
    *,
    reject: Annotated[bool, typer.Option("--reject", help="The engine's verdict is right.")] = False,
    config: ConfigFile = DEFAULT,
    json: AsJson = False,
) -> None:
    """Decide an appeal; the engine's result stays as it is, and the score that counts is summed up anew."""
    if reject == (uphold is not None):
        raise typer.BadParameter("expected either --uphold with the right verdict, or --reject")
    _, engine = opened(config)
    kept = Appeals(engine).answer(appeal, Answer(by, datetime.now(UTC), text, uphold))
    before, counts = _scores(engine, kept)
    if json:
        say_json({**_as_json(kept, Terms()), "engine_score": before, "effective_score": counts.points, "fatal": counts.fatal})
    else:
        console.print(f"appeal {kept.id}: {kept.appeal.state.value}. {kept.appeal.question} of call {kept.call[:12]}: ", end="")
        console.print(f"the engine's {kept.verdict.value}{f', {by} says {uphold.value}' if uphold else ' stands'}", markup=False)
        console.print(f"score: the engine's {_points(before)}, effective {_points(counts.points)}")


@app.command("list")
def list_(
    state: Annotated[list[AppealState] | None, typer.Option(help="Only appeals in this state; may be repeated.")] = None,
    *,
    days: _DaysToAnswer = 10,
    config: ConfigFile = DEFAULT,
    json: AsJson = False,
) -> None:
    """Tell what became of objections; late ones come first."""
    _, engine = opened(config)
    terms, now = Terms(to_answer=timedelta(days=days)), datetime.now(UTC)
    found = Appeals(engine).listed(state or tuple(AppealState))
    found.sort(
        key=lambda it: (not is_late(it.appeal, terms, now), it.appeal.state is not AppealState.OPEN, due(it.appeal, terms))
    )
    if json:
        for it in found:
            say_json({**_as_json(it, terms), "late": is_late(it.appeal, terms, now)})
        return
    table = Table("appeal", "call", "question", "engine", "by", "state", "answer by", box=None, padding=(0, 2))
    for it in found:
        mark = " (late)" if is_late(it.appeal, terms, now) else ""
        answered = it.appeal.answer.by if it.appeal.answer else f"{due(it.appeal, terms):%Y-%m-%d}{mark}"
        what = (it.call[:12], it.appeal.question, it.verdict.value, it.appeal.by, it.appeal.state.value, answered)
        table.add_row(str(it.id), *what)
    console.print(table, markup=False)


def _scores(engine: Engine, kept: KeptAppeal) -> tuple[float | None, Effective]:
    """The engine's points, and what counts."""
    result: dict[str, Any] = json_text.loads(Appeals(engine).result_of(kept))
    return result["score"], effective(result, Reviews(engine).said_of(kept.call, kept.card))


def _points(points: float | None) -> str:
    return "not known" if points is None else f"{points:.1f}"


def _as_json(kept: KeptAppeal, terms: Terms) -> dict[str, Any]:
    given = kept.appeal.answer
    return {
        "appeal": kept.id,
        "call": kept.call,
        "card": kept.card.name,
        "revision": kept.card.revision,
        "question": kept.appeal.question,
        "verdict": kept.verdict,
        "by": kept.appeal.by,
        "at": kept.appeal.at.isoformat(),
        "text": kept.appeal.text,
        "state": kept.appeal.state,
        "due": due(kept.appeal, terms).isoformat(),
        "answer": given and {"by": given.by, "at": given.at.isoformat(), "text": given.text},
    }
