"""How many words does a recogniser get wrong, and does it stay silent where nobody speaks?

``python -m bench.wer [--set FOLDER] [--recogniser moonshine|whisper|both] [--language en] [--line telephone] [--json]``

Word error rate (Chinese: characters) by jiwer over the whole of a kind, after the normalisation of ``engine.asr.normalise``,
with a 95 % bootstrap interval over files. Synthetic speech has rows of its own. ``both`` is moonshine first, and whisper for
unsure turns. ``invented`` counts the words heard in noise, music and tones; it should be 0.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bench.card import Row, bootstrap, progress, report
from bench.recordings import SILENT_KINDS, Labelled, labelled, telephone
from engine.asr.calibration import shipped_agreement
from engine.asr.normalise import Errors, word_errors
from engine.asr.protocol import Hints, Recogniser
from engine.asr.registry import load_recogniser
from engine.asr.two_pass import TwoPassPolicy, choose, wants_second
from engine.core.audio import AudioFrame
from engine.core.errors import MediaError
from engine.core.speech import ENGLISH, Transcript
from engine.core.units import Language, Seconds

QUESTION = "How many words are wrong?"
BOTH = "both"
KINDS = ("ivr_prompt", "speech", "spoken_digit", "digit_string", "spoken_query", "short_answer")
_NO_HURRY = Seconds(math.inf)

Ear: TypeAlias = Callable[[AudioFrame, Hints], Transcript]


@dataclass(frozen=True, slots=True)
class Heard:
    """One file and what became of it."""

    row: Labelled
    transcript: Transcript
    errors: Errors


def run(
    folder: Path | None = None, *, recogniser: str = "moonshine", language: str | None = None, line: bool = False
) -> list[Row]:
    """Measure one recogniser (or ``both``) on a labelled folder; ``line`` sends the sound through a telephone line first.

    Raises:
        ConfigError: the folder or the recogniser is not there.
    """
    hear = ear(recogniser)
    heard = [found for row in _chosen(labelled(folder), language) if (found := _hear(row, hear, line))]
    heard.sort(key=_group)
    return [_result(recogniser, list(files)) for _, files in groupby(heard, key=_group)]


def ear(recogniser: str) -> Ear:
    """A recogniser as a function of one utterance."""
    if recogniser == BOTH:
        first, second = load_recogniser("moonshine"), load_recogniser("whisper")
        return partial(_both, first, second)
    return partial(_one, load_recogniser(recogniser))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.wer", description=QUESTION)
    parser.add_argument("--set", type=Path, metavar="FOLDER", help="a folder with manifest.jsonl (default: the shared test data)")
    parser.add_argument("--recogniser", default="moonshine", help="moonshine, whisper, vosk, any installed one, or both")
    parser.add_argument("--language", help="only this language")
    parser.add_argument("--line", choices=("telephone",), help="send the sound through a telephone line first")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    chosen = parser.parse_args(arguments)
    results = run(chosen.set, recogniser=chosen.recogniser, language=chosen.language, line=chosen.line is not None)
    report(
        QUESTION,
        results,
        json=chosen.json,
        notes=("low, high: 95 % bootstrap interval of wer over files; synthetic is not people",),
    )


def _one(recogniser: Recogniser, sound: AudioFrame, hints: Hints) -> Transcript:
    return recogniser.recognise([sound], [hints])[0]


def _both(first: Recogniser, second: Recogniser, sound: AudioFrame, hints: Hints) -> Transcript:
    if hints.language not in first.capabilities.languages:
        return _one(second, sound, hints)
    policy = TwoPassPolicy()
    heard = _one(first, sound, hints)
    if not wants_second(heard, _NO_HURRY, policy):
        return heard
    return choose(heard, _one(second, sound, hints), sound.duration, policy, shipped_agreement())


def _chosen(rows: Sequence[Labelled], language: str | None) -> Iterator[Labelled]:
    for row in rows:
        silent = row.kind in SILENT_KINDS
        if silent or (row.kind in KINDS and row.text and language in (None, row.language)):
            yield row


def _hear(row: Labelled, hear: Ear, line: bool) -> Heard | None:
    try:
        sound = row.sound()
    except MediaError as error:
        progress(f"left out: {error}")
        return None
    silent = row.kind in SILENT_KINDS
    hints = Hints(language=ENGLISH if silent else Language(row.language))
    transcript = hear(telephone(sound) if line else sound, hints)
    errors = word_errors("" if silent else row.text or "", transcript.text, hints.language)
    progress(f"{row.name}: {errors.edits} of {errors.tokens} wrong: {transcript.text}")
    return Heard(row, transcript, errors)


def _group(heard: Heard) -> tuple[str, str, bool]:
    silent = heard.row.kind in SILENT_KINDS
    return heard.row.kind, "" if silent else heard.row.language, heard.row.synthetic


def _result(recogniser: str, heard: Sequence[Heard]) -> Row:
    kind, language, synthetic = _group(heard[0])
    row = {"recogniser": recogniser, "kind": kind, "language": language, "synthetic": synthetic, "files": len(heard)}
    edits = np.array([one.errors.edits for one in heard])
    tokens = np.array([one.errors.tokens for one in heard])
    if not tokens.sum():
        return {**row, "invented": int(edits.sum())}
    interval = bootstrap(len(heard), partial(_rate, edits, tokens))
    exact = sum(one.errors.edits == 0 for one in heard) / len(heard)
    return {
        **row,
        "words": int(tokens.sum()),
        "wer": round(float(edits.sum() / tokens.sum()), 4),
        "low": interval and round(interval.low, 4),
        "high": interval and round(interval.high, 4),
        "all_right": round(exact, 4),
    }


def _rate(edits: npt.NDArray[np.int_], tokens: npt.NDArray[np.int_], places: npt.NDArray[np.intp]) -> float:
    return float(edits[places].sum() / max(1, tokens[places].sum()))


if __name__ == "__main__":
    main()
