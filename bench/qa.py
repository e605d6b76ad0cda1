"""Does the demo bank's scorecard agree with people, and how fast is scoring? ``python -m bench.qa [--folder FOLDER] [--json]``

Real bank calls with what people found true of them (``harper_valley`` of the set), by people's words and by a machine's (which
come without a confidence). The card was written after reading eight of the twelve calls; the row ``unread`` is the other four. A
cell is one question of one call: it agrees, is unknown, or flips to a wrong pass or fail.

Speed: calls of five minutes, joined from those calls, scored on one core.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.card import Row, report
from bench.recordings import SHARED
from engine.qa.card import Scorecard
from engine.qa.checks import Verdict
from engine.qa.files import load_scorecard
from engine.qa.scoring import score
from engine.qa.transcripts import timeline_of

Call = Mapping[str, Any]

CARD = Path(__file__).resolve().parents[1] / "examples" / "bank" / "scorecards" / "inbound_service.yaml"
UNREAD = ("021cd80ca7cc464b", "0224c92b64d144d4", "02b03e407894474b", "0395f6997a8e4836")
WORDS = {"people": "text", "machine": "asr_text"}
_LONGEST_SILENCE_MS = 10_000
_FIVE_MINUTES_S = 300.0
_NOTES = (
    "unread: the calls that the card's author had not read",
    "flipped: a wrong pass or fail; the machine gives no confidence",
)


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


def truth(call: Call) -> Mapping[str, bool]:
    """What is true of a call, by the card's questions."""
    known = {name: value for name, value in call["qa_truth"].items() if isinstance(value, bool)}
    return known | {"no_long_silence": call["qa_truth"]["longest_silence_ms"] <= _LONGEST_SILENCE_MS}


def judged(card: Scorecard, known: Mapping[str, Call], words: str) -> Iterator[tuple[str, str, str]]:
    """Call, question, and whether it ``agrees``, is ``unknown``, or ``flipped``."""
    for name, call in known.items():
        right = truth(call)
        for answer in score(card, timeline_of(transcript(call, words), name)).answers:
            says = {Verdict.PASS: True, Verdict.FAIL: False}.get(answer.ruling.verdict)
            outcome = "unknown" if says is None else "agrees" if says == right[answer.question.id] else "flipped"
            yield name, answer.question.id, outcome


def _agreement(card: Scorecard, known: Mapping[str, Call]) -> Iterator[Row]:
    for words in WORDS:
        cells = list(judged(card, known, words))
        for question in (it.id for it in card.questions):
            yield _row(words, question, [outcome for _, id, outcome in cells if id == question])
        yield _row(words, "all, unread", [outcome for name, _, outcome in cells if name in UNREAD])
        yield _row(words, "all", [outcome for *_, outcome in cells])


def _row(words: str, question: str, outcomes: Sequence[str]) -> Row:
    counted = Counter(outcomes)
    share = {f"{it}_percent": round(100 * counted[it] / len(outcomes), 1) if outcomes else None for it in ("agrees", "flipped")}
    return {"words": words, "question": question, "cells": len(outcomes), "unknown": counted["unknown"], **share}


def _speed(card: Scorecard, known: Mapping[str, Call]) -> Row:
    timelines = [timeline_of(_five_minutes(list(known.values())[first:]), "joined") for first in range(len(known))]
    score(card, timelines[0])
    began = time.process_time()
    for timeline in timelines:
        score(card, timeline)
    return {
        "words": "people",
        "question": "calls of 5 min a second and core",
        "calls_s": len(timelines) / (time.process_time() - began),
    }


def _five_minutes(known: Sequence[Call]) -> Mapping[str, Any]:
    turns: list[Mapping[str, Any]] = []
    at, number = 0.0, 0
    while at < _FIVE_MINUTES_S:
        more = transcript(known[number % len(known)])["turns"]
        turns += [turn | {"start": turn["start"] + at, "end": turn["end"] + at} for turn in more]
        at, number = max(turn["end"] for turn in turns), number + 1
    return {"language": "en", "turns": turns}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--folder", type=Path, default=SHARED, help="a labelled set with a folder harper_valley")
    chosen = options.parse_args(arguments)
    card, known = load_scorecard(CARD), calls(chosen.folder)
    rows = [*_agreement(card, known), _speed(card, known)]
    report("Does the scorecard agree with people?", rows, json=chosen.json, notes=_NOTES)


if __name__ == "__main__":
    main()
