"""``callwright transcribe``: recordings to words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.asr.calibration import shipped_agreement
from engine.asr.registry import load_recogniser
from engine.audio.files import read
from engine.cli.output import console, say_json
from engine.core.errors import MediaError
from engine.core.speech import ENGLISH
from engine.core.units import Language
from engine.runtime.batch.hearing import BatchTranscriber
from engine.runtime.batch.passes import HearingSettings, Named
from engine.runtime.batch.work import Tier
from engine.runtime.transcribe import SpokenTurn, Transcriber, together

BOTH = "both"


def transcribe(
    files: Annotated[list[Path], typer.Argument(help="Sound files; in two-channel ones the caller is on the left.")],
    language: Annotated[str, typer.Option(help="en, ru or zh.")] = ENGLISH,
    recogniser: Annotated[str, typer.Option(help="both, or one by its name.")] = "both",
    tier: Annotated[Tier, typer.Option(help="How carefully, where both may hear: fast, accurate or both.")] = Tier.BOTH,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Say what was said: words with times and confidence. A file that can't be read is named (exit code 65), the others go on."""
    transcriber, refused = ears(recogniser), 0
    for path in files:
        try:
            turns = transcriber.transcribe(read(path), Language(language), tier if recogniser == BOTH else Tier.FAST).turns
        except MediaError as error:
            refused += 1
            print(error, file=sys.stderr)
            continue
        if json:
            say_json(as_json(path, language, turns))
        else:
            _print(path, turns)
    if refused:
        raise typer.Exit(65)


def ears(recogniser: str = BOTH) -> BatchTranscriber:
    """The ears for recordings: Moonshine, and Whisper for what it is unsure of or does not know; or one recogniser alone."""
    if recogniser == BOTH:
        return BatchTranscriber()
    alone = Named(recogniser)
    return BatchTranscriber(HearingSettings(first=alone, second=alone, careful=alone))


def transcriber_for(language: Language, recogniser: str = BOTH) -> Transcriber:
    """The ears of a live call, for a recording of one; Whisper alone where Moonshine knows nothing of the language."""
    if recogniser != BOTH:
        return Transcriber(load_recogniser(recogniser))
    if language != ENGLISH:
        return Transcriber(load_recogniser("whisper"))
    return Transcriber(load_recogniser("moonshine"), load_recogniser("whisper"), shipped_agreement())


def as_json(path: Path, language: str, turns: tuple[SpokenTurn, ...]) -> dict[str, Any]:
    """The shape others rely on."""
    return {
        "path": str(path),
        "language": language,
        "text": together(turns, Language(language)).text,
        "turns": [turn.as_json() for turn in turns],
    }


def _print(path: Path, turns: tuple[SpokenTurn, ...]) -> None:
    console.print(f"[bold]{path}[/bold]")
    for turn in turns:
        sure = "  ?" if turn.transcript.confidence is None else f"{turn.transcript.confidence:4.0%}"
        console.print(f"  {turn.start:7.2f}  {turn.speaker or 'unknown':<7}  {sure}  {turn.transcript.text}", markup=False)
