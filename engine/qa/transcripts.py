"""Transcripts as JSON, the way ``callwright transcribe --json`` and the bank's own systems write them, to a timeline.

``{"language", "turns": [{"speaker", "start", "end", "text", "words": [{"text", "start", "end", "confidence"}]}]}``, in seconds.
``words`` may be absent: then a turn's words are spread over it by their length. More is understood:

* ``"source": "machine"`` or ``"human"``: whose words they are (a machine's where any has a confidence, else a person's);
* the speaker ``unknown``;
* ``"events": [{"kind", "start", "end", "speaker", "value"}]`` (``timeline.EventKind``; the last two may be absent);
* ``"listened_for": [kinds]``: which of them would have been told; without it, all kinds where there is a key ``events`` at all;
* ``"facts": {"agent": ...}``, texts.

Transcribers' marks (``[noise]``) are dropped; ``<unk>`` is a word that was said and not understood, and so is a mask (``•``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import TypedDict

from engine.core.call import Speaker
from engine.core.errors import MediaError
from engine.core.speech import ENGLISH
from engine.core.units import Confidence, Language, Seconds
from engine.nlu.wording import tokens
from engine.privacy import MASK
from engine.qa.spans import Span
from engine.qa.timeline import UNHEARD, CallEvent, EventKind, HeardWord, Stretch, Timeline

_MARK = re.compile(r"\[[^\]]*\]")
_UNHEARD = re.compile(rf"<unk>|{MASK}", re.IGNORECASE)
_NEVER_RIGHT = Confidence(0.0)
_LATE_S = 0.45  # recognisers that hear a turn's first word place it within 0.3 s of the voice's start (our endpointer's lead)
_LEAD_S = 0.2
_A_WORD_S = 0.25

Time = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


Text = Annotated[str, Field(max_length=100_000)]


class WordPart(TypedDict):
    """One word. No model of its own: a call has a thousand of them."""

    text: Text
    start: Time
    end: Time
    confidence: NotRequired[Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] | None]


class TurnPart(_Part):
    """One stretch of speech."""

    speaker: Literal["caller", "agent", "unknown"]
    start: Time
    end: Time
    text: Text
    words: list[WordPart] = []

    @model_validator(mode="after")
    def _in_order(self) -> TurnPart:
        for start, end in ((self.start, self.end), *((word["start"], word["end"]) for word in self.words)):
            if end < start:
                raise ValueError(f"an end at or after the start {start:g}, found {end:g}")
        return self


class EventPart(_Part):
    """Something that happened besides speech."""

    kind: EventKind
    start: Time
    end: Time
    speaker: Literal["caller", "agent", "unknown"] = "unknown"
    value: float | None = Field(default=None, allow_inf_nan=False)


class TranscriptPart(_Part):
    """The whole file."""

    language: str = ENGLISH
    source: object = None
    turns: list[TurnPart]
    events: list[EventPart] | None = None
    listened_for: frozenset[EventKind] | None = None
    facts: dict[str, str] = {}


def parse_transcript(text: str, name: str) -> Timeline:
    """Read a transcript. ``name`` is what to call it in messages.

    Raises:
        MediaError: it is not one; says what was expected where.
    """
    try:
        part = TranscriptPart.model_validate_json(text)
    except ValidationError as error:
        raise _refused(error, name) from error
    return _timeline(part)


def timeline_of(transcript: Mapping[str, object], name: str) -> Timeline:
    """The same from the parsed JSON."""
    try:
        part = TranscriptPart.model_validate(transcript)
    except ValidationError as error:
        raise _refused(error, name) from error
    return _timeline(part)


def _refused(error: ValidationError, name: str) -> MediaError:
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"])) or "the file"
    return MediaError(f"{name}: expected a transcript, found at {place}: {first['msg']}")


def _timeline(part: TranscriptPart) -> Timeline:
    by_machine = part.source == "machine" or (part.source != "human" and _has_confidence(part))
    found = (_stretch(turn, by_machine) for turn in part.turns)
    stretches = sorted(filter(None, found), key=lambda it: (it.span.start, it.span.end))
    events = tuple(sorted(map(_event, part.events or ()), key=lambda it: (it.span.start, it.span.end)))
    told = frozenset(EventKind) if part.events is not None else frozenset[EventKind]()
    listened_for = told if part.listened_for is None else part.listened_for
    return Timeline(Language(part.language), tuple(stretches), by_machine, events, part.facts, listened_for)


def _event(part: EventPart) -> CallEvent:
    span = Span(Seconds(part.start), Seconds(max(part.start, part.end)), _speaker(part.speaker))
    return CallEvent(part.kind, span, part.value)


def _speaker(name: str) -> Speaker | None:
    return None if name == "unknown" else Speaker(name)


def _has_confidence(part: TranscriptPart) -> bool:
    return any(word.get("confidence") is not None for turn in part.turns for word in turn.words)


def _stretch(turn: TurnPart, by_machine: bool) -> Stretch | None:
    """A turn, or nothing where nothing in it was understood."""
    speaker = _speaker(turn.speaker)
    words = tuple(_words(turn.words or _spread(turn), speaker))
    masked = any(MASK in word["text"] for word in turn.words)
    if all(word.text == UNHEARD for word in words) and not masked:  # a secret was speech, not silence
        return None
    lost = _lost(turn, speaker) if by_machine and turn.words else ()
    return Stretch(Span(Seconds(turn.start), Seconds(turn.end), speaker), turn.text, (*lost, *words))


def _lost(turn: TurnPart, speaker: Speaker | None) -> Iterator[HeardWord]:
    """Words that were surely said where a turn has voice long before its first word: recognisers lose beginnings."""
    silent = turn.words[0]["start"] - turn.start
    number = round((silent - _LEAD_S) / _A_WORD_S) if silent > _LATE_S else 0
    for place in range(number):
        start, end = (Seconds(turn.start + silent * at / number) for at in (place, place + 1))
        yield HeardWord(UNHEARD, start, end, speaker, _NEVER_RIGHT)


def _words(parts: Sequence[WordPart], speaker: Speaker | None) -> Iterator[HeardWord]:
    for part in parts:
        sure = part.get("confidence")
        known = None if sure is None else Confidence(sure)
        for text, lost in _folded(part["text"]):
            yield HeardWord(text, Seconds(part["start"]), Seconds(part["end"]), speaker, _NEVER_RIGHT if lost else known)


@lru_cache(maxsize=50_000)
def _folded(text: str) -> Sequence[tuple[str, bool]]:
    """The words of a text, and whether each was not understood; calls repeat theirs."""
    unheard = _UNHEARD.search(text) is not None
    words = tokens(_UNHEARD.sub(UNHEARD, _MARK.sub(" ", text)))
    return tuple((word.text, unheard and word.text == UNHEARD) for word in words)


def _spread(turn: TurnPart) -> list[WordPart]:
    """A turn's words, each with the share of the time that its letters have of the text."""
    pieces = _MARK.sub(" ", turn.text).split()
    letters = [letter for piece in pieces for letter in _pieces(piece)]
    each = (turn.end - turn.start) / max(1, sum(map(len, letters)))
    found: list[WordPart] = []
    at = turn.start
    for letter in letters:
        end = min(turn.end, at + each * len(letter))
        found.append({"text": letter, "start": at, "end": max(at, end)})
        at = max(at, end)
    return found


def _pieces(text: str) -> list[str]:
    """Han characters one by one: each is a word, with a time of its own."""
    return [text[it.start : it.end] for it in tokens(text)] if not text.isascii() else [text]
