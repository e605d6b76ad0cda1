"""Calls for the benches of quality control: real bank calls that people labelled, and long ones joined from them."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Call = Mapping[str, Any]
Transcript = Mapping[str, Any]

CARD = Path(__file__).resolve().parents[1] / "examples" / "bank" / "scorecards" / "inbound_service.yaml"
WORDS = {"people": "text", "machine": "asr_text"}
_DOUBTFUL = 0.1  # of a recogniser's words, about as many as our own is unsure of on telephone calls


def calls(folder: Path) -> Mapping[str, Call]:
    """Every labelled call by its name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "harper_valley").glob("*.json"))}


def transcript(call: Call, words: str = "people") -> Mapping[str, Any]:
    """One call in the engine's shape."""
    turns = [
        {"speaker": it["role"], "start": it["start_ms"] / 1000, "end": it["end_ms"] / 1000, "text": it[WORDS[words]]}
        for it in call["segments"]
    ]
    return {"language": "en", "source": "human" if words == "people" else "machine", "turns": turns}


def joined(known: Sequence[Call], least_s: float, words: str) -> Transcript:
    """One call of at least so many seconds: ``people`` or ``machine`` words, or ``confident`` ones with times and confidences."""
    turns: list[dict[str, Any]] = []
    at, number = 0.0, 0
    while at < least_s:
        more = transcript(known[number % len(known)], "people" if words == "people" else "machine")["turns"]
        turns += [turn | {"start": turn["start"] + at, "end": turn["end"] + at} for turn in more]
        at, number = max(turn["end"] for turn in turns), number + 1
    if words == "confident":
        turns = [turn | {"words": _timed(turn, random.Random(place))} for place, turn in enumerate(turns)]
    return {"language": "en", "source": "human" if words == "people" else "machine", "turns": turns}


def _timed(turn: Mapping[str, Any], chance: random.Random) -> list[Mapping[str, Any]]:
    """A turn's words as a recogniser gives them; the confidences are made up."""
    pieces = turn["text"].split() or ["<unk>"]
    each = (turn["end"] - turn["start"]) / len(pieces)
    sure = [chance.uniform(0.2, 0.6) if chance.random() < _DOUBTFUL else chance.uniform(0.7, 1.0) for _ in pieces]
    times = [round(turn["start"] + place * each, 3) for place in range(len(pieces) + 1)]
    return [
        {"text": text, "start": times[place], "end": times[place + 1], "confidence": round(sure[place], 2)}
        for place, text in enumerate(pieces)
    ]
