"""Calls between people as quality control leaves them: masked words, masked sound, scores. Synthetic: a tone for a voice.

For tests, screenshots and measurements of the console. Nothing can be learnt from them about accuracy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine.audio.files import write_wav
from engine.audio.recording import Recording
from engine.core.audio import TELEPHONY, AudioFrame
from engine.qa.ledger import State
from engine.store.quality_models import RecordingRow
from engine.store.scores import add_scores

MODEL = "synthetic-1"
CARD = "service"
REVISION = sha256(b"synthetic service card").hexdigest()
_A_WORD_S = 0.4
_BETWEEN_S = 0.6


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its verdict; ``turn`` is what proves it."""

    id: str
    text: str
    verdict: str
    turn: int | None = None
    fatal: str = "no"


@dataclass(frozen=True, slots=True)
class Made:
    """A call to be kept."""

    began: datetime
    said: Sequence[tuple[str, str]]
    """Speakers and their words, ``caller`` or ``agent``."""

    asked: Sequence[Asked] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    sound: bool = True

    @property
    def content(self) -> str:
        """Its name."""
        return sha256(repr((self.began, self.said, sorted(self.facts.items()))).encode()).hexdigest()


def keep(database: Engine, folder: Path, made: Made) -> str:
    """Keep it in the database and the folder of quality control; gives its content."""
    turns, content = _turns(made), made.content
    seconds = turns[-1]["end"] + 1.0 if turns else 1.0
    transcript, audio = f"transcripts/{content}.json", f"sound/{content}.wav"
    for place in (transcript, audio):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
    written = {"language": made.language, "source": "machine", "turns": turns}
    (folder / transcript).write_text(json.dumps(written, ensure_ascii=False), encoding="utf-8")
    if made.sound:
        write_wav(folder / audio, _sound(turns, seconds))
    with Session(database) as session, session.begin():
        session.add(_row(made, seconds, transcript, audio if made.sound else None))
        session.flush()
        if made.asked:
            add_scores(session, content, MODEL, [_result(made, turns)], made.began)
    return content


def _row(made: Made, seconds: float, transcript: str, audio: str | None) -> RecordingRow:
    return RecordingRow(
        content=made.content,
        state=State.SCORED if made.asked else State.EXCLUDED,
        attempts=1,
        size=1,
        source="folder",
        facts=json.dumps(dict(made.facts), ensure_ascii=False),
        language=made.language,
        started_at=made.began,
        seen_at=made.began,
        changed_at=made.began,
        seconds=seconds,
        model=MODEL,
        transcript=transcript,
        audio=audio,
    )


def _turns(made: Made) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    at = 0.5
    for speaker, text in made.said:
        pieces = text.split() if made.language != "zh" else list(text)
        words = [
            {
                "text": piece,
                "start": round(at + place * _A_WORD_S, 2),
                "end": round(at + (place + 1) * _A_WORD_S, 2),
                "confidence": 0.9,
            }
            for place, piece in enumerate(pieces)
        ]
        end = round(at + len(pieces) * _A_WORD_S, 2)
        turns.append({"speaker": speaker, "start": round(at, 2), "end": end, "text": text, "words": words})
        at = end + _BETWEEN_S
    return turns


def _result(made: Made, turns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    verdicts = [it.verdict for it in made.asked]
    decided = [it for it in verdicts if it in {"pass", "fail"}]
    fatal = any(it.fatal == "card" and it.verdict == "fail" for it in made.asked)
    points = (0.0 if fatal else round(100 * decided.count("pass") / len(decided), 1)) if decided else None
    questions = [_question(it, turns) for it in made.asked]
    return {
        "path": made.content,
        "scorecard": CARD,
        "revision": REVISION,
        "score": points,
        "fatal": fatal,
        "questions": questions,
    }


def _question(it: Asked, turns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    turn = None if it.turn is None else turns[it.turn]
    proof = [] if turn is None else [{name: turn[name] for name in ("start", "end", "speaker", "text")}]
    about = {"id": it.id, "text": it.text, "section": "all", "weight": 1.0, "fatal": it.fatal}
    return {**about, "verdict": it.verdict, "confidence": 0.9, "evidence": proof, "searched": []}


def _sound(turns: Sequence[Mapping[str, Any]], seconds: float) -> Recording:
    """The caller on the left, low; the agent on the right, higher."""
    rate = TELEPHONY.rate_hz
    channels = {"caller": np.zeros(round(seconds * rate), np.int16), "agent": np.zeros(round(seconds * rate), np.int16)}
    for turn in turns:
        first, last = round(turn["start"] * rate), round(turn["end"] * rate)
        pitch = 220.0 if turn["speaker"] == "caller" else 330.0
        tone = np.sin(2 * np.pi * pitch * np.arange(last - first) / rate) * 6_000
        channels[turn["speaker"]][first:last] = tone.astype(np.int16)
    return Recording(tuple(AudioFrame(samples, TELEPHONY) for samples in channels.values()), TELEPHONY, "WAV/PCM_16")
