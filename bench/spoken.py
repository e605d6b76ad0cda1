"""The spoken queries of a labelled set, as the live recogniser hears them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bench.card import progress
from bench.recordings import labelled
from engine.asr.backends.moonshine import BATCH, load
from engine.asr.protocol import Hints
from engine.core.speech import ENGLISH, Transcript
from engine.nlu.evaluation import Labelled

_KIND = "spoken_query"


@dataclass(frozen=True, slots=True)
class Spoken:
    """One query: what was said, and what was heard."""

    labelled: Labelled

    condition: str
    """Voice and noise."""

    heard: Transcript


def hear(folder: Path) -> list[Spoken]:
    """Recognise the English queries of a set; a tenth of a second each."""
    facts = {
        row["path"]: row
        for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
        if (row := json.loads(line))
    }
    queries = [row for row in labelled(folder) if row.kind == _KIND and row.language == ENGLISH]
    recogniser = load()
    spoken: list[Spoken] = []
    for first in range(0, len(queries), BATCH):
        batch = queries[first : first + BATCH]
        heard = recogniser.recognise([query.sound() for query in batch], [Hints()] * len(batch))
        for query, transcript in zip(batch, heard, strict=True):
            fact = facts[query.file.relative_to(folder).as_posix()]
            condition = f"{str(fact['speaker']).split(' ')[0]} {fact['condition']}"
            spoken.append(Spoken(Labelled(fact["text"], fact["intent"]), condition, transcript))
        progress(f"{len(spoken)} of {len(queries)} heard")
    return spoken
