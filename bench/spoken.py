"""What does the IVR do with spoken queries? ``python -m bench.spoken [--set FOLDER] [--flow FILE] [--live] [--json]``

Every English query of a labelled set goes the way of ``callwright ask``: cut by the endpointer, heard by Moonshine, the unsure
ones by Whisper too (``--live``: not), understood with the flow's own examples, and decided at its first question. A jump is wrong
when it leads to another intent than the caller's, or when the caller wanted nothing that the flow serves. Synthetic speech.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.card import Row, progress, report
from bench.recordings import SHARED, labelled
from engine.asr.backends.moonshine import load
from engine.asr.protocol import Hints
from engine.cli.ask import answered
from engine.cli.transcribe import transcriber_for
from engine.core.speech import ENGLISH, Transcript
from engine.dialogue.actions import Rung
from engine.ivr.files import load_flow
from engine.nlu.evaluation import Labelled
from engine.nlu.understand import OUT_OF_SCOPE
from engine.runtime.models import Lesson
from engine.runtime.transcribe import together

QUESTION = "What does the IVR do with spoken queries?"
BANK = Path(__file__).resolve().parents[1] / "examples" / "bank" / "flow.yaml"
_KIND = "spoken_query"
_BATCH = 4  # queries decoded in step


@dataclass(frozen=True, slots=True)
class Spoken:
    """One query: what was said, and what was heard."""

    labelled: Labelled

    condition: str
    """Voice and noise."""

    heard: Transcript


@dataclass(frozen=True, slots=True)
class Asked:
    """One query, and where the IVR went with it."""

    intent: str

    condition: str
    """Voice and noise."""

    decision: str

    found: str | None
    """The intent that was decided on."""

    @property
    def jumped(self) -> bool:
        """Whether nothing was asked back."""
        return self.decision == Rung.JUMP

    @property
    def right(self) -> bool:
        """Whether it is what the caller wants."""
        return self.found == self.intent


def ask(folder: Path, flow: Path, recogniser: str) -> list[Asked]:
    """Let the flow decide on every English query of a set; a second or two each."""
    asked = load_flow(flow)
    understander = Lesson.of(asked).taught().understander
    transcriber = transcriber_for(ENGLISH, recogniser)
    queries: list[Asked] = []
    for path, fact in _facts(folder).items():
        if fact["kind"] == _KIND and fact["lang"] == ENGLISH:
            heard = together(transcriber.transcribe(folder / path, ENGLISH), ENGLISH)
            answer = answered(asked, understander, heard)
            queries.append(Asked(fact["intent"], _condition(fact), answer["decision"], answer["intent"]))
            progress(f"{len(queries)}: {fact['text']} | {heard.text} | {answer['decision']} {answer['intent']}")
    return queries


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.spoken", description=QUESTION)
    parser.add_argument("--set", type=Path, default=SHARED, metavar="FOLDER", help="a folder with manifest.jsonl")
    parser.add_argument("--flow", type=Path, default=BANK, help="by default the demo bank's")
    parser.add_argument("--live", action="store_true", help="the live recogniser alone, without second opinions")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    chosen = parser.parse_args(arguments)
    queries = ask(chosen.set, chosen.flow, "moonshine" if chosen.live else "both")
    conditions = sorted({query.condition for query in queries})
    rows = [_row(condition, [query for query in queries if query.condition == condition]) for condition in conditions]
    note = "jump_right: of what the flow serves; jump_wrong: of all; synthetic speech"
    report(QUESTION, [*rows, _row("all", queries)], json=chosen.json, notes=(note,))


def _row(condition: str, queries: Sequence[Asked]) -> Row:
    served = [query for query in queries if query.intent != OUT_OF_SCOPE]
    right = sum(query.jumped and query.right for query in served)
    wrong = sum(query.jumped and not query.right for query in queries)
    return {
        "condition": condition,
        "served": len(served),
        "jumped_right": right,
        "jump_right": round(right / len(served), 4) if served else None,
        "queries": len(queries),
        "jumped_wrong": wrong,
        "jump_wrong": round(wrong / len(queries), 4),
    }


def _facts(folder: Path) -> dict[str, dict[str, str]]:
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["path"]: row for line in lines if (row := json.loads(line))}


def _condition(fact: dict[str, str]) -> str:
    return f"{fact['speaker'].split(' ')[0]} {fact['condition']}"


def hear(folder: Path) -> list[Spoken]:
    """Recognise the English queries of a set; a tenth of a second each."""
    facts = _facts(folder)
    queries = [row for row in labelled(folder) if row.kind == _KIND and row.language == ENGLISH]
    recogniser = load()
    spoken: list[Spoken] = []
    for first in range(0, len(queries), _BATCH):
        batch = queries[first : first + _BATCH]
        heard = recogniser.recognise([query.sound() for query in batch], [Hints()] * len(batch))
        for query, transcript in zip(batch, heard, strict=True):
            fact = facts[query.file.relative_to(folder).as_posix()]
            spoken.append(Spoken(Labelled(fact["text"], fact["intent"]), _condition(fact), transcript))
        progress(f"{len(spoken)} of {len(queries)} heard")
    return spoken


if __name__ == "__main__":
    main()
