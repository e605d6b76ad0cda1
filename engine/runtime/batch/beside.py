"""What is kept beside a masked recording and must hold no secret either: its transcript, and whatever was exported next to it.

Beside it lies what has its name before the first dot, in its own folder; and its transcript in the folder of quality control
(:mod:`engine.runtime.batch.keeping`).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.core.errors import MediaError
from engine.core.speech import Transcript, Word
from engine.core.units import Language, Seconds
from engine.privacy import Turn
from engine.qa.transcripts import TranscriptPart, parse_transcript
from engine.runtime.batch.proving import Place, secrets_in, secrets_in_text
from engine.store.keys import KeyFile
from engine.store.sealed_files import opened

PROOF: Final = ".proof.json"
_TEXTS: Final = frozenset({".json", ".jsonl", ".csv", ".tsv", ".txt", ".md", ".srt", ".vtt", ".html"})
_SAID: Final = frozenset({"text", "alternatives", "comment", "answer", "quote"})
"""Keys of our JSON under which stands what somebody said or wrote; the others hold names, hashes and times."""

_NAMED: Final = re.compile(r"(?=.*[a-f])[0-9a-f-]{16,}|\d{4}-\d\d-\d\d[T ][\d:.+Z]+")  # hashes, identities and times in tables


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of a file or a row: turns where it is a transcript, else pieces that stand alone."""

    name: str
    turns: tuple[Turn, ...] = ()
    pieces: tuple[str, ...] = ()


def kept_beside(recording: Path) -> Iterator[Path]:
    """Give the files with words that belong to a masked recording."""
    stem = recording.name.split(".")[0]
    for path in sorted(recording.parent.glob(f"{stem}.*")):
        if path != recording and path.suffix in _TEXTS and not path.name.endswith(PROOF):
            yield path
    transcript = recording.parents[2] / "transcripts" / recording.parent.name / f"{recording.stem}.json"
    if recording.parent.parent.name == "sound" and transcript.is_file():
        yield transcript


def words_of(path: Path, keys: KeyFile | None = None) -> Words:
    """Read the texts of a file, which may be encrypted.

    Raises:
        MediaError: it can't be read, or is not what its name says.
    """
    try:
        with opened(path, keys) as file:
            text = file.read().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise MediaError(f"{path}: expected a text in UTF-8 that can be read, found another file") from error
    if path.suffix == ".json":
        return _of_json(path, text)
    if path.suffix in {".csv", ".tsv"}:
        rows = csv.reader(text.splitlines(), delimiter="\t" if path.suffix == ".tsv" else ",")
        return Words(path.name, pieces=tuple(cell for row in rows for cell in row if not _NAMED.fullmatch(cell)))
    if path.suffix == ".jsonl":
        return Words(path.name, pieces=tuple(said for line in text.splitlines() if line for said in said_in(_parsed(path, line))))
    return Words(path.name, pieces=tuple(text.splitlines()))


def secrets_beside(kept: Iterable[Words]) -> Iterator[Place]:
    """Seek secrets in what is kept. A text that is a part of a transcript is judged there, where it has its place."""
    known = [" ".join(turn.said.text.split()) for words in kept for turn in words.turns]
    for words in kept:
        yield from secrets_in(words.turns, words.name)
        for piece in words.pieces:
            if not any(" ".join(piece.split()) in text for text in known):
                yield from secrets_in_text(piece, words.name)


def said_in(found: object) -> Iterator[str]:
    """Give all texts of JSON that somebody said or wrote."""
    if isinstance(found, Mapping):
        for name, value in found.items():
            yield from _strings(value) if name in _SAID else said_in(value)
    elif isinstance(found, list):
        for each in found:
            yield from said_in(each)


def _strings(found: object) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, list):
        yield from (each for each in found if isinstance(each, str))


def _of_json(path: Path, text: str) -> Words:
    found = _parsed(path, text)
    if not isinstance(found, dict) or "turns" not in found:
        return Words(path.name, pieces=tuple(said_in(found)))
    parse_transcript(text, str(path))  # says what is wrong with it
    part = TranscriptPart.model_validate(found)
    return Words(path.name, tuple(_turn(turn.model_dump(), found, part.language, place) for place, turn in enumerate(part.turns)))


def _turn(turn: Mapping[str, Any], whole: Mapping[str, Any], language: str, place: int) -> Turn:
    timed = turn["words"] or [{"text": turn["text"], "start": turn["start"], "end": turn["end"]}]
    words = tuple(Word(it["text"], Seconds(it["start"]), Seconds(it["end"])) for it in timed)
    others = tuple(_strings(whole["turns"][place].get("alternatives", [])))
    return Turn(turn["speaker"], Transcript(words, Language(language), alternatives=others))


def _parsed(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise MediaError(f"{path}: expected JSON, found: {error}") from error
