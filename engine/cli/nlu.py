"""``callwright nlu``: how well words are understood."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.output import console, say_json
from engine.core.errors import MediaError
from engine.core.speech import ENGLISH
from engine.core.units import Language
from engine.nlu.encoder import UniversalSentenceEncoder
from engine.nlu.evaluation import Evaluation, Labelled, evaluate

app = typer.Typer(help="The understanding of words.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``eval`` a verb of its own, though it is the only one yet."""


@app.command("eval")
def eval_(
    labelled: Annotated[Path, typer.Argument(help="Sentences to judge on: text, intent and lang, one JSON object a line.")],
    examples: Annotated[Path, typer.Option(help="Sentences to learn from, in the same form; none of them is judged on.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Learn from one file, judge on the other."""
    result = evaluate(_read(labelled), _read(examples), encoder=UniversalSentenceEncoder())
    if json:
        say_json(asdict(result))
    else:
        _print(result)


def _read(path: Path) -> list[Labelled]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MediaError(f"{path}: expected a readable file of UTF-8 text, found: {error}") from error
    return [_sentence(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _sentence(path: Path, number: int, line: str) -> Labelled:
    try:
        row = jsonlib.loads(line)
        return Labelled(str(row["text"]), str(row["intent"]), Language(str(row.get("lang") or ENGLISH)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MediaError(f"{path}:{number}: expected a JSON object with text and intent, found: {error!r}") from error


def _print(result: Evaluation) -> None:
    table = Table("intent", "figures")
    for intent, figures in result.per_intent.items():
        table.add_row(intent, str(figures))
    console.print(table)
    console.print(f"in scope right: {result.accuracy_in_scope}, out of scope refused: {result.out_of_scope_recall}")
