"""Does the demo bank's scorecard agree with people? ``python -m bench.qa [--folder FOLDER] [--no-audio] [--tier both] [--json]``

Real bank calls with what people found true of them (``harper_valley`` of the set), by people's words and by a machine's (which
come without a confidence). The card was written after reading eight of the twelve calls; the row ``unread`` is the other four. A
cell is one question of one call: it agrees, is unknown, or flips to a wrong pass or fail.

Through audio: two of those dialogues read by synthetic voices with the real pauses, as two-channel recordings
(``calls_semisynthetic``), heard as ``callwright qa run`` hears them; and the two-channel real call in ``calls``, of a garage,
whose answers nobody has labelled: of it only what is unknown is counted.

Speed: calls of five minutes scored on one core (:mod:`bench.qa_speed` has more), beside looking for the same phrases' words with
one plain regular expression each, which tolerates nothing and knows no doubt: the floor.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from bench.card import Row, report
from bench.qa_calls import CARD, WORDS, Call, calls, transcript
from bench.qa_speed import speeds
from bench.recordings import SHARED
from engine.audio.files import read
from engine.core.speech import ENGLISH
from engine.qa.card import Scorecard
from engine.qa.checks import Verdict
from engine.qa.files import load_scorecard
from engine.qa.scoring import score
from engine.qa.timeline import Timeline
from engine.qa.transcripts import timeline_of
from engine.runtime.batch.hearing import BatchTranscriber
from engine.runtime.batch.work import Tier

__all__ = ["CARD", "UNREAD", "calls", "compared", "judged", "main", "transcript", "truth"]

UNREAD = ("021cd80ca7cc464b", "0224c92b64d144d4", "02b03e407894474b", "0395f6997a8e4836")
_LONGEST_SILENCE_MS = 10_000
_NOTES = (
    "unread: the calls that the card's author had not read",
    "flipped: a wrong pass or fail; the machine gives no confidence",
)


def truth(call: Call) -> Mapping[str, bool]:
    """What is true of a call, by the card's questions."""
    known = {name: value for name, value in call["qa_truth"].items() if isinstance(value, bool)}
    return known | {"no_long_silence": call["qa_truth"]["longest_silence_ms"] <= _LONGEST_SILENCE_MS}


def judged(card: Scorecard, known: Mapping[str, Call], words: str) -> Iterator[tuple[str, str, str]]:
    """Call, question, and whether it ``agrees``, is ``unknown``, or ``flipped``."""
    for name, call in known.items():
        yield from compared(card, timeline_of(transcript(call, words), name), name, truth(call))


def compared(card: Scorecard, call: Timeline, name: str, right: Mapping[str, bool]) -> Iterator[tuple[str, str, str]]:
    """The same of one call, however it was heard."""
    for answer in score(card, call).answers:
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


def heard(file: Path, tier: Tier) -> Mapping[str, Any]:
    """A two-channel recording as the batch hears it, the caller on the left."""
    return _ears().transcribe(read(file), ENGLISH, tier).as_json()


@cache
def _ears() -> BatchTranscriber:
    return BatchTranscriber()


def _through_audio(card: Scorecard, folder: Path, known: Mapping[str, Call], tier: Tier) -> Iterator[Row]:
    outcomes: list[str] = []
    for file in sorted((folder / "calls_semisynthetic").glob("hv_*_stereo.wav")):
        name = file.name.split("_")[1]
        outcomes += [outcome for *_, outcome in compared(card, timeline_of(heard(file, tier), name), name, truth(known[name]))]
    if outcomes:
        yield _row(f"synthetic voices, {tier}", "all", outcomes)
    for file in sorted((folder / "calls").glob("*_stereo.wav")):
        verdicts = [it.ruling.verdict for it in score(card, timeline_of(heard(file, tier), file.name)).answers]
        unknown = verdicts.count(Verdict.UNKNOWN)
        yield {"words": f"real recording, {tier}", "question": "all, not labelled", "cells": len(verdicts), "unknown": unknown}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--folder", type=Path, default=SHARED, help="a labelled set with a folder harper_valley")
    options.add_argument("--no-audio", action="store_true", help="only transcripts: needs no models")
    options.add_argument("--tier", type=Tier, default=Tier.BOTH, help="how recordings are heard: fast, accurate or both")
    chosen = options.parse_args(arguments)
    card, known = load_scorecard(CARD), calls(chosen.folder)
    audio = [] if chosen.no_audio else _through_audio(card, chosen.folder, known, chosen.tier)
    rows = [*_agreement(card, known), *audio, *(it for it in speeds(card, known.values()) if it["question"] != "reading")]
    report("Does the scorecard agree with people?", rows, json=chosen.json, notes=_NOTES)


if __name__ == "__main__":
    main()
