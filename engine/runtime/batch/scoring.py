"""What was heard, scored by every card that is meant for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.core.errors import MediaError
from engine.qa.ledger import CardInForce
from engine.qa.results import as_json
from engine.qa.scoring import score
from engine.qa.timeline import Timeline
from engine.qa.transcripts import parse_transcript, timeline_of
from engine.runtime.batch.work import Heard
from engine.runtime.kept_files import read_transcript
from engine.store.keys import KeyFile

Results = Sequence[Mapping[str, Any]]


def timeline_of_heard(heard: Heard) -> Timeline:
    """Give the call as cards see it.

    Raises:
        MediaError: its hearer gave no transcript.
    """
    return timeline_of(heard.transcript, "the transcript")


def timeline_kept(folder: Path, transcript: str, keys: KeyFile | None = None) -> Timeline:
    """Give a call that was heard before.

    Raises:
        MediaError: its transcript is not there any more, or is none.
    """
    octets = read_transcript(folder, transcript, keys)
    try:
        return parse_transcript(octets.decode("utf-8-sig"), str(folder / transcript))
    except UnicodeDecodeError as error:
        raise MediaError(f"{transcript}: expected UTF-8 text, found the byte 0x{error.object[error.start]:02x}") from error


def results_of(content: str, call: Timeline, cards: Sequence[CardInForce]) -> Results:
    """Score the call; the results name it by its content, for a file's name may be a customer's number."""
    return [as_json(content, score(it.card, call)) for it in cards]
