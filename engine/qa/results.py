"""A call's score as JSON: the shape that the command line prints, the store keeps and others rely on.

It says what each question asks and how much it counts, so that a stored score can be read, and summed up anew where a person's
verdict stands beside one of the engine's, whatever has become of the card's file.
"""

from __future__ import annotations

from typing import Any

from engine.core.units import Confidence
from engine.qa.checks import Evidence, Searched
from engine.qa.scoring import Answer, Score


def as_json(name: str, result: Score) -> dict[str, Any]:
    """One call's result; ``name`` is what the call is called."""
    return {
        "path": name,
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
        "text": answer.question.text,
        "section": answer.question.section,
        "weight": answer.question.weight,
        "fatal": answer.question.fatal.value,
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
        "coverage": _rounded(it.coverage),
        "nearest": None if it.nearest is None else _evidence(it.nearest),
    }


def _rounded(confidence: Confidence | None) -> float | None:
    return None if confidence is None else round(confidence, 3)
