"""``callwright qa``: calls scored by a bank's own card, with the proof."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from engine.cli.output import console, say_json
from engine.cli.transcribe import as_json as transcription
from engine.cli.transcribe import transcriber_for
from engine.core.errors import MediaError
from engine.core.units import Confidence, Language
from engine.qa.checks import Evidence, Searched
from engine.qa.files import load_scorecard, load_transcript
from engine.qa.scoring import Answer, Score
from engine.qa.scoring import score as scored
from engine.qa.timeline import Timeline
from engine.qa.transcripts import timeline_of
from engine.runtime.transcribe import Transcriber

app = typer.Typer(help="Quality control: calls scored by a card, each verdict with its evidence.", no_args_is_help=True)


@app.callback()
def qa() -> None:
    """Quality control: calls scored by a card, each verdict with its evidence."""


@app.command()
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
            result = scored(card, _call(path, spoken))
        except MediaError as error:
            refused += 1
            print(error, file=sys.stderr)
            continue
        if json:
            say_json(as_json(path, result))
        else:
            _print(path, result)
    if refused:
        raise typer.Exit(65)


def as_json(path: Path, result: Score) -> dict[str, Any]:
    """The shape others rely on."""
    return {
        "path": str(path),
        "scorecard": result.card.name,
        "revision": result.card.revision,
        "score": None if result.points is None else round(result.points, 1),
        "fatal": result.fatal,
        "questions": [_question(it) for it in result.answers],
    }


def _question(answer: Answer) -> dict[str, Any]:
    ruling = answer.ruling
    return {
        "id": answer.question.id,
        "verdict": ruling.verdict.value,
        "confidence": _rounded(ruling.confidence),
        "evidence": [_evidence(it) for it in ruling.evidence],
        "searched": [_searched(it) for it in ruling.searched],
    }


def _evidence(it: Evidence) -> dict[str, Any]:
    speaker = None if it.span.speaker is None else it.span.speaker.value
    return {"start": round(it.span.start, 3), "end": round(it.span.end, 3), "speaker": speaker, "text": it.text}


def _searched(it: Searched) -> dict[str, Any]:
    return {
        "what": list(it.what),
        "by": None if it.by is None else it.by.value,
        "windows": [{"start": round(window.start, 3), "end": round(window.end, 3)} for window in it.windows],
        "confidence": _rounded(it.confidence),
        "nearest": None if it.nearest is None else _evidence(it.nearest),
    }


def _rounded(confidence: Confidence | None) -> float | None:
    return None if confidence is None else round(confidence, 3)


def _call(path: Path, language: Language) -> Timeline:
    if path.suffix.lower() == ".json":
        return load_transcript(path)
    heard = transcription(path, language, _ears(language).transcribe(path, language))
    return timeline_of({**heard, "source": "machine"}, str(path))


@cache
def _ears(language: Language) -> Transcriber:
    return transcriber_for(language)


def _print(path: Path, result: Score) -> None:
    total = "not known" if result.points is None else f"{result.points:.0f} of 100"
    console.print(f"[bold]{path}[/bold]  {total}{'  fatal' if result.fatal else ''}")
    table = Table(box=None, padding=(0, 2), show_header=False)
    for answer in result.answers:
        first = next(iter(answer.ruling.evidence), None)
        where = f"{first.span.start:7.1f}" if first else ""
        table.add_row(answer.question.id, answer.ruling.verdict.value, where, first.text if first else "")
    console.print(table, markup=False)
