"""What was said in a call, turn by turn, as people may read it: masked, with times.

From the masked transcript that quality control made of its recording; or, where there is none, from the journal of a conversation
with the engine. A journal keeps numbers that a question asked for as they were said, so its words are masked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from engine.core.call import Speaker
from engine.core.errors import ConfigError, MediaError
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.dialogue.actions import Decided, Play
from engine.dialogue.codec import actions_from_json, from_json
from engine.dialogue.events import Heard, PlayFinished
from engine.privacy import Turn, mask_call
from engine.qa.transcripts import TranscriptPart, TurnPart
from engine.store.journal import Step
from engine.tts.wording import fill

_HEARD = ('"type":"Heard"', '"type":"PlayFinished"')  # as journals write them (engine.dialogue.codec)
_PLAY, _DECIDED = '"type":"Play"', '"type":"Decided"'
_LETTER_S = 0.07  # of a prompt whose end nobody has told


@dataclass(frozen=True, slots=True)
class SaidWord:
    """One word; without spaces around it."""

    text: str
    start: Seconds
    end: Seconds
    confidence: Confidence | None = None


@dataclass(frozen=True, slots=True)
class SaidTurn:
    """One stretch of speech."""

    speaker: str
    """``caller``, ``agent``, or ``unknown``; the engine is the agent."""

    start: Seconds
    end: Seconds
    text: str
    words: tuple[SaidWord, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What the engine decided, and its numbers."""

    at: Seconds
    rung: str
    node: str
    target: str | None
    intent: str | None
    confidence: Confidence | None
    reason: str


def turns_of(transcript: str | bytes) -> tuple[SaidTurn, ...]:
    """The turns of a masked transcript.

    Raises:
        MediaError: it is none.
    """
    try:
        part = TranscriptPart.model_validate_json(transcript)
    except ValidationError as error:
        raise MediaError("expected a transcript of quality control, found something else") from error
    return tuple(sorted(map(_turn, part.turns), key=lambda it: (it.start, it.end)))


def turns_of_journal(steps: Sequence[Step]) -> tuple[SaidTurn, ...]:
    """The turns of a conversation with the engine, masked.

    Raises:
        MediaError: a step can't be read.
    """
    said = sorted(_said(steps), key=lambda it: it[1])
    masked = mask_call([Turn(speaker, transcript) for speaker, _, _, transcript in said]).turns
    return tuple(
        SaidTurn(speaker, start, end, turn.said.text, tuple(map(_word, turn.said.words)))
        for (speaker, start, end, _), turn in zip(said, masked, strict=True)
    )


def decisions_of(steps: Sequence[Step]) -> tuple[Decision, ...]:
    """What was decided, in order.

    Raises:
        MediaError: a step can't be read.
    """
    return tuple(
        Decision(step.at, it.rung.value, it.node, it.target, it.intent, it.confidence, it.reason)
        for step in steps
        if _DECIDED in step.actions
        for it in actions_from_json(step.actions)
        if isinstance(it, Decided)
    )


def _turn(part: TurnPart) -> SaidTurn:
    words = tuple(
        SaidWord(it["text"], Seconds(it["start"]), Seconds(it["end"]), _confidence(it.get("confidence"))) for it in part.words
    )
    return SaidTurn(part.speaker, Seconds(part.start), Seconds(part.end), part.text, words)


def _confidence(found: float | None) -> Confidence | None:
    return None if found is None else Confidence(found)


def _word(word: Word) -> SaidWord:
    return SaidWord(word.text, word.start, word.end, word.confidence)


def _said(steps: Sequence[Step]) -> Iterator[tuple[str, Seconds, Seconds, Transcript]]:
    """Who, from when to when, and what."""
    events = [(step, _event(step)) for step in steps]
    finished: Mapping[int, Seconds] = {it.play: step.at for step, it in events if isinstance(it, PlayFinished)}
    for step, event in events:
        if isinstance(event, Heard) and event.transcript:
            shift = Seconds(event.speech_start - event.transcript.words[0].start)
            yield Speaker.CALLER, event.speech_start, event.speech_end, event.transcript.later(shift)
        for play in actions_from_json(step.actions) if _PLAY in step.actions else ():
            if isinstance(play, Play) and (text := _spoken(play)):
                end = finished.get(play.play, Seconds(step.at + _LETTER_S * len(text)))
                yield Speaker.AGENT, step.at, end, _spread(text, step.at, end, play)


def _spoken(play: Play) -> str:
    try:
        return " ".join(fill(one.text, one.values, play.language) for one in play.spoken).strip()
    except ConfigError:  # of a flow that worded its values in a way that is known no more
        return " ".join(one.text for one in play.spoken)


def _spread(text: str, start: Seconds, end: Seconds, play: Play) -> Transcript:
    """Words of a prompt, each with the share of its time that its letters have."""
    whole = Transcript(language=play.language)
    pieces = text.split() if replace(whole, words=(Word("a", start, end),) * 2).text == "a a" else list(text)
    each, at = (end - start) / max(1, sum(map(len, pieces))), float(start)
    words: list[Word] = []
    for piece in pieces:
        words.append(Word(piece, Seconds(at), Seconds(at + each * len(piece))))
        at = words[-1].end
    return replace(whole, words=tuple(words))


def _event(step: Step) -> object:
    """What the words are in; anything else is not read, which would take most of the time."""
    return from_json(step.event) if step.event is not None and any(kind in step.event for kind in _HEARD) else None
