"""Calls and cards in a line or two."""

from __future__ import annotations

from engine.qa.card import Scorecard
from engine.qa.card_file import parse_scorecard
from engine.qa.checks import Ruling
from engine.qa.scoring import score
from engine.qa.timeline import Timeline
from engine.qa.transcripts import timeline_of

Said = tuple[str, float, float, str]


def call_of(*said: Said, language: str = "en", source: str = "human", confidence: float | None = None) -> Timeline:
    """A call of (speaker, start, end, text)."""
    turns = [{"speaker": who, "start": start, "end": end, "text": text} for who, start, end, text in said]
    if confidence is not None:
        turns = [turn | {"words": spread(turn, confidence)} for turn in turns]
    return timeline_of({"language": language, "source": source, "turns": turns}, "call")


def spread(turn: dict[str, object], confidence: float) -> list[dict[str, object]]:
    """A word a piece, ``word@0.3`` with a confidence of its own."""
    pieces = str(turn["text"]).split()
    start, end = float(str(turn["start"])), float(str(turn["end"]))
    each = (end - start) / len(pieces)
    words: list[dict[str, object]] = []
    for n, piece in enumerate(pieces):
        word, _, own = piece.partition("@")
        words.append(
            {"text": word, "start": start + n * each, "end": start + (n + 1) * each, "confidence": float(own or confidence)}
        )
    return words


def card_of(check: str, *, terms: str = "{}", languages: str = "[en]", extra: str = "") -> Scorecard:
    """A card of one question."""
    question = f"{{id: asked, check: {check}{extra}}}"
    return parse_scorecard(f"scorecard: c\nlanguages: {languages}\nterms: {terms}\nquestions: [{question}]\n", "card.yaml")


def ask(check: str, *call: Timeline | Said, **more: str) -> Ruling:
    """What one check says of one call."""
    heard = call[0] if isinstance(call[0], Timeline) else call_of(*call)
    return score(card_of(check, **more), heard).answers[0].ruling


SMALL_CARD = """
scorecard: small
languages: [en]
questions:
  - {id: greets, weight: 3, check: {exists: {say: good morning, by: agent}}}
  - {id: thanks, check: {exists: {say: thank you for calling, by: agent}, within: last 10s}}
"""

SMALL_CALL = {
    "language": "en",
    "turns": [
        {"speaker": "agent", "start": 1.0, "end": 3.0, "text": "good morning"},
        {"speaker": "caller", "start": 4.0, "end": 6.0, "text": "hello where is my card"},
        {"speaker": "agent", "start": 7.0, "end": 9.0, "text": "it is on its way bye"},
    ],
}
