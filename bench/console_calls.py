"""Calls for ``bench.console``: ten turns each, half of them conversations with the engine (turns in the journal), half scored
recordings (masked transcripts in files).

All words are synthetic, drawn by Zipf's law from made-up vocabularies in three languages; so is everything else.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert

from engine.core.speech import Transcript, Word
from engine.core.units import Language, Seconds
from engine.dialogue.actions import Entered
from engine.dialogue.codec import to_json
from engine.dialogue.events import Heard
from engine.ivr.files import load_flow
from engine.nlu.searching import tokens
from engine.store.found_calls import number_of
from engine.store.found_models import FoundCallRow, FoundFailureRow, FoundScoreRow
from engine.store.found_words import add_words
from engine.store.models import CallRow, StepRow
from engine.store.quality_models import RecordingRow, ScoreRow, VerdictRow

TURNS = 10
CARD, MODEL, REVISION = "service", "synthetic", "0" * 64
QUESTIONS = tuple(f"question_{number}" for number in range(8))
BEGIN = datetime.now(UTC) - timedelta(days=60)
FLOW = load_flow(Path(__file__).parents[1] / "examples" / "bank" / "flow.yaml")
_BATCH = 1_000
_ENTERED = to_json((Entered(FLOW.start),))


class Vocabulary:
    """Made-up words of one language; the first are the most frequent."""

    def __init__(self, language: str, letters: str, size: int, lengths: tuple[int, int]) -> None:
        draw = random.Random(language)
        self.language = language
        self.words = list(dict.fromkeys("".join(draw.choices(letters, k=draw.randint(*lengths))) for _ in range(size)))
        self._weights = list(accumulate(1.0 / (rank + 3) for rank in range(len(self.words))))

    def sentence(self, draw: random.Random) -> str:
        """Eight words."""
        return ("" if self.language == "zh" else " ").join(draw.choices(self.words, cum_weights=self._weights, k=8))


VOCABULARIES = (
    Vocabulary("en", "etaoinshrdlucm", 8_000, (3, 9)),
    Vocabulary("ru", "оеаинтсрвлкмдпу", 8_000, (3, 10)),
    Vocabulary("zh", "".join(chr(0x4E00 + 7 * place) for place in range(1_500)), 8_000, (1, 3)),
)


def fill(database: Engine, folder: Path, calls: int) -> None:
    """Write the calls."""
    draw = random.Random(1)
    for first in range(0, calls, _BATCH):
        with database.begin() as connection:
            rows = [_call(draw, number, calls) for number in range(first, min(calls, first + _BATCH))]
            _write(connection, folder, rows, first)


def _call(draw: random.Random, number: int, calls: int) -> dict[str, Any]:
    vocabulary = draw.choices(VOCABULARIES, (5, 3, 2))[0]
    began = BEGIN + timedelta(days=60) * (number / calls)
    agent = draw.randrange(200)
    said = [vocabulary.sentence(draw) for _ in range(TURNS)]
    return {
        "id": number_of(began) + number % 2,
        "name": sha256(str(number).encode()).hexdigest()[: 32 if number % 2 else 64],
        "began": began,
        "said": said,
        "language": vocabulary.language,
        "agent": f"agent {agent}",
        "team": f"team {agent % 12}",
        "queue": f"queue {agent % 5}",
        "failed": [it for it in QUESTIONS if draw.random() < 0.1],
        "ours": bool(number % 2),
    }


def _write(connection: Connection, folder: Path, rows: Sequence[dict[str, Any]], first: int) -> None:
    ours, theirs = [it for it in rows if it["ours"]], [it for it in rows if not it["ours"]]
    connection.execute(insert(CallRow), [_conversation(it) for it in ours])
    connection.execute(insert(StepRow), [_step(it, place, said) for it in ours for place, said in enumerate(it["said"])])
    connection.execute(insert(RecordingRow), [_recording(it) for it in theirs])
    scores = list(enumerate(theirs, first + 1))
    connection.execute(insert(ScoreRow), [_score(number, it) for number, it in scores])
    verdicts = [
        {"score": number, "question": question, "verdict": "fail" if question in it["failed"] else "pass", "confidence": 0.9}
        for number, it in scores
        for question in QUESTIONS
    ]
    connection.execute(insert(VerdictRow), verdicts)
    for it in theirs:
        _write_transcript(folder / _place(it), it)
    connection.execute(insert(FoundCallRow), [_found(it) for it in rows])
    connection.execute(insert(FoundScoreRow), [_found_score(it) for it in theirs])
    failures = [{"card": CARD, "question": one, **_whose(it)} for it in theirs for one in it["failed"]]
    connection.execute(insert(FoundFailureRow), failures)
    add_words(connection, ((it["id"], tokens(it["said"])) for it in rows))


def _place(it: dict[str, Any]) -> str:
    return f"transcripts/{it['name'][:2]}/{it['name']}.json"


def _write_transcript(path: Path, it: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    turns = [
        {"speaker": ("caller", "agent")[place % 2], "start": 5.0 * place, "end": 5.0 * place + 4.0, "text": said}
        for place, said in enumerate(it["said"])
    ]
    path.write_text(json.dumps({"language": it["language"], "turns": turns}, ensure_ascii=False), encoding="utf-8")


def _conversation(it: dict[str, Any]) -> dict[str, Any]:
    facts = {
        "door": "sip",
        "direction": "inbound",
        "flow": FLOW.name,
        "flow_revision": FLOW.revision,
        "agents": False,
        "outcome": "transferred",
    }
    return {**facts, "id": it["name"], "language": it["language"], "started_at": it["began"], "ended_at": it["began"]}


def _step(it: dict[str, Any], place: int, said: str) -> dict[str, Any]:
    start, end = Seconds(5.0 * place), Seconds(5.0 * place + 4.0)
    heard = Heard(
        Transcript((Word(said, Seconds(0.0), Seconds(4.0)),), Language(it["language"])), speech_start=start, speech_end=end
    )
    return {"call_id": it["name"], "number": place, "at": end, "event": to_json(heard), "actions": _ENTERED}


def _recording(it: dict[str, Any]) -> dict[str, Any]:
    facts = json.dumps({name: it[name] for name in ("agent", "team", "queue")})
    at = {"started_at": it["began"], "seen_at": it["began"], "changed_at": it["began"]}
    heard = {"model": MODEL, "transcript": _place(it), "language": it["language"], "seconds": 60.0}
    return {"content": it["name"], "state": "scored", "attempts": 1, "size": 1, "source": "folder", "facts": facts, **at, **heard}


def _points(it: dict[str, Any]) -> float:
    return 100.0 * (1 - len(it["failed"]) / len(QUESTIONS))


def _score(number: int, it: dict[str, Any]) -> dict[str, Any]:
    questions: list[dict[str, Any]] = [
        {
            "id": one,
            "text": one,
            "verdict": "fail" if one in it["failed"] else "pass",
            "confidence": 0.9,
            "evidence": [],
            "searched": [],
        }
        for one in QUESTIONS
    ]
    result = json.dumps({"score": _points(it), "fatal": False, "questions": questions})
    about = {"content": it["name"], "model": MODEL, "card": CARD, "revision": REVISION}
    return {**about, "id": number, "points": _points(it), "fatal": False, "result": result, "scored_at": it["began"]}


def _whose(it: dict[str, Any]) -> dict[str, Any]:
    return {"id": it["id"], "team": it["team"], "agent": it["agent"]}


def _found_score(it: dict[str, Any]) -> dict[str, Any]:
    return {**_whose(it), "card": CARD, "points": _points(it), "fatal": False, "waiting": int(len(it["failed"]) > 2)}


def _found(it: dict[str, Any]) -> dict[str, Any]:
    known = {
        "id": it["id"],
        "name": it["name"],
        "seconds": 60.0,
        "language": it["language"],
        "fatal": False,
        "stamp": "synthetic",
    }
    nothing = dict.fromkeys(("call", "content", "direction", "queue", "agent", "team", "flow", "outcome", "points"))
    if it["ours"]:
        return {**known, **nothing, "call": it["name"], "direction": "inbound", "flow": FLOW.name, "outcome": "transferred"}
    told = {name: it[name] for name in ("agent", "team", "queue")}
    return {**known, **nothing, **told, "content": it["name"], "points": _points(it)}
