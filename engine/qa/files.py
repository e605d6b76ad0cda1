"""Scorecards and transcripts on disk: the only place of this package that opens a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.core.errors import MediaError
from engine.nlu.encoder import UniversalSentenceEncoder
from engine.qa.card import Scorecard, ScorecardErrors
from engine.qa.card_file import parse_scorecard
from engine.qa.meaning import Means
from engine.qa.timeline import Timeline
from engine.qa.transcripts import parse_transcript
from engine.qa.walking import asks_for
from engine.written.problems import Problem


def load_scorecard(path: Path) -> Scorecard:
    """Read and check a card; one that asks for meaning gets an encoder of its own.

    Raises:
        ScorecardErrors: it can't be read or can't be used; all problems at once.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ScorecardErrors([_unreadable(path, error.strerror or "an error")]) from error
    except UnicodeDecodeError as error:
        raise ScorecardErrors([_unreadable(path, f"the byte 0x{error.object[error.start]:02x} at {error.start}")]) from error
    card = parse_scorecard(text, str(path))
    return replace(card, encoder=UniversalSentenceEncoder()) if asks_for(card, Means) else card


def load_transcript(path: Path) -> Timeline:
    """Read a transcript JSON.

    Raises:
        MediaError: it can't be read, or is not one.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise MediaError(f"{path}: expected a readable file, found: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MediaError(f"{path}: expected UTF-8 text, found the byte 0x{error.object[error.start]:02x}") from error
    return parse_transcript(text, str(path))


def _unreadable(path: Path, found: str) -> Problem:
    return Problem(1, 1, "", "a readable file of UTF-8 text", found, file=str(path))
