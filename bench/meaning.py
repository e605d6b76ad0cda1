"""Which likeness of meaning is surely the same, and which may be? ``python -m bench.meaning [--folder FOLDER] [--json]``

Real questions to banks (``text/intents.jsonl`` of the set, the finest labels): a term of four examples is asked of the other
sentences of its own label (found: recall) and of all other labels, which are its near neighbours (found: false alarm). The labels
are split in two to show how much it depends on the topic; the shipped thresholds were chosen with both in sight, so none of this
is a held-out figure. The last rows ask four things of twelve real calls in which nobody says them: the likest piece of any call.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.card import Row, report
from bench.qa import calls, transcript
from bench.recordings import SHARED
from engine.nlu.encoder import Encoder, Matrix, UniversalSentenceEncoder
from engine.nlu.wording import bare
from engine.qa.laying import Doubt
from engine.qa.meaning import pieces_of
from engine.qa.terms import Listener
from engine.qa.transcripts import timeline_of

_EXAMPLES = 4
_DRAWS = 5
_FEWEST = 6  # sentences of a label
_THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
_NEVER_SAID = {
    "pressure": ("You have to decide right now or the offer is gone", "You would be foolish to refuse this"),
    "no more calls": ("Please do not call me any more", "Remove my number from your list"),
    "threat": ("We will come to your home", "We will tell your employer about your debt"),
    "complaint": ("I want to make a complaint", "I am very unhappy with your service"),
}


def sentences(folder: Path) -> Mapping[str, Sequence[str]]:
    """By label."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in (folder / "text" / "intents.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["source_label"]:
            found[row["source_label"]].append(bare(row["text"]))
    return {label: texts for label, texts in found.items() if len(texts) >= _FEWEST}


def _likeness(vectors: Mapping[str, Matrix]) -> tuple[list[float], list[float]]:
    """Of sentences to examples of their own label, and of others."""
    own: list[float] = []
    others: list[float] = []
    for draw in range(_DRAWS):
        chance = random.Random(draw)
        for label, rows in vectors.items():
            order = chance.sample(range(len(rows)), len(rows))
            examples = rows[order[:_EXAMPLES]]
            own += (rows[order[_EXAMPLES:]] @ examples.T).max(axis=1).tolist()
            for other in vectors:
                others += (vectors[other] @ examples.T).max(axis=1).tolist() if other != label else []
    return own, others


def _curve(name: str, vectors: Mapping[str, Matrix]) -> Iterator[Row]:
    own, others = (np.array(it) for it in _likeness(vectors))
    for threshold in _THRESHOLDS:
        yield {
            "of": name,
            "likeness": threshold,
            "sentences": len(own),
            "found_percent": round(100 * float((own >= threshold).mean()), 1),
            "false_alarm_percent": round(100 * float((others >= threshold).mean()), 2),
        }


def _never_said(folder: Path, encoder: Encoder) -> Iterator[Row]:
    for name, examples in _NEVER_SAID.items():
        known = encoder.encode([bare(it) for it in examples])
        likest = []
        for path, call in calls(folder).items():
            pieces = pieces_of(Listener(timeline_of(transcript(call), path), Doubt(), encoder), encoder)
            likest.append(float((pieces.vectors @ known.T).max()))
        yield {"of": f"{name}, never said", "likeness": round(max(likest), 2), "sentences": len(likest)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--folder", type=Path, default=SHARED, help="a labelled set with the folders text and harper_valley")
    chosen = options.parse_args(arguments)
    encoder = UniversalSentenceEncoder()
    vectors = {label: encoder.encode(texts) for label, texts in sentences(chosen.folder).items()}
    labels = random.Random(4).sample(sorted(vectors), len(vectors))
    half = len(labels) // 2
    rows = [
        *_curve("one half", {it: vectors[it] for it in labels[:half]}),
        *_curve("the other", {it: vectors[it] for it in labels[half:]}),
        *_never_said(chosen.folder, encoder),
    ]
    report("Which likeness of meaning is surely the same, and which may be?", rows, json=chosen.json)


if __name__ == "__main__":
    main()
