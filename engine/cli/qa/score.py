"""``callwright qa score``: calls scored by a bank's own card, with the proof."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from engine.audio.files import read
from engine.cli.output import console, say_json
from engine.cli.transcribe import ears
from engine.core.errors import MediaError
from engine.core.units import Language
from engine.qa.files import load_scorecard, load_transcript
from engine.qa.results import as_json
from engine.qa.scoring import Score
from engine.qa.scoring import score as scored
from engine.qa.timeline import Timeline
from engine.qa.transcripts import timeline_of
from engine.runtime.batch.hearing import BatchTranscriber


def score(
    files: Annotated[list[Path], typer.Argument(help="Transcripts (.json), or recordings: the caller on the left.")],
    scorecard: Annotated[Path, typer.Option(help="The card, a YAML file.")],
    language: Annotated[str | None, typer.Option(help="Of recordings; by default the card's first.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Score each file by the card. A file that can't be read is named (exit code 65), the others go on."""
    card = load_scorecard(scorecard)
    spoken = Language(language) if language else card.languages[0]
    refused = 0
    for path in files:
        try:
            result = scored(card, call_in(path, spoken))
        except MediaError as error:
            refused += 1
            print(error, file=sys.stderr)
            continue
        if json:
            say_json(as_json(str(path), result))
        else:
            _print(path, result)
    if refused:
        raise typer.Exit(65)


def call_in(path: Path, language: Language) -> Timeline:
    """The call in a transcript, or in a recording, which is transcribed first.

    Raises:
        MediaError: the file is neither.
    """
    if path.suffix.lower() == ".json":
        return load_transcript(path)
    return timeline_of(_ears().transcribe(read(path), language).as_json(), str(path))


@cache
def _ears() -> BatchTranscriber:
    return ears()


def _print(path: Path, result: Score) -> None:
    total = "not known" if result.points is None else f"{result.points:.0f} of 100"
    console.print(f"[bold]{path}[/bold]  {total}{'  fatal' if result.fatal else ''}")
    table = Table(box=None, padding=(0, 2), show_header=False)
    for answer in result.answers:
        first = next(iter(answer.ruling.evidence), None)
        where = f"{first.span.start:7.1f}" if first else ""
        table.add_row(answer.question.id, answer.ruling.verdict.value, where, first.text if first else "")
    console.print(table, markup=False)
