"""What silent agents made of phrases: examples to learn from, with the sound where the bank keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.assist.broker import Label
from engine.assist.tasks import AgentId, Answer
from engine.audio.files import wav_of
from engine.audio.recording import Recording
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.units import Seconds
from engine.store.assist_models import LabelRow
from engine.store.keys import KeyFile
from engine.store.sealed_files import write_kept


@dataclass(frozen=True, slots=True)
class Day:
    """What an agent has done today."""

    answered: int = 0
    late: int = 0
    """Of them, those that the call did not wait for."""

    median: Seconds | None = None
    """From the task to the answer; ``None`` before the first."""


class Labels:
    """The table of them. For several threads."""

    def __init__(self, engine: Engine, phrases: Path | None, keys: KeyFile | None = None) -> None:
        """``phrases``: the folder of their sounds, encrypted where there are ``keys``; ``None``: no sound is kept."""
        self._engine, self._phrases, self._keys = engine, phrases, keys

    def keep(self, label: Label, phrase: bytes | None, at: float) -> None:
        """Keep one; it is on the disk when this returns. ``at`` is the time of the answer, seconds since the epoch.

        Raises:
            SQLAlchemyError, OSError: it can't be written.
        """
        with Session(self._engine) as session, session.begin():
            session.add(self.row(label, phrase, at))

    def row(self, label: Label, phrase: bytes | None, at: float) -> LabelRow:
        """Make its row, for whoever keeps it together with other things; its sound is on the disk when this returns.

        Raises:
            OSError: the sound can't be written.
        """
        task = label.task
        return LabelRow(
            call=task.id.call,
            number=task.id.number,
            agent=label.agent,
            language=task.language,
            flow_revision=task.flow,
            task=json.dumps(asdict(task), ensure_ascii=False),
            answer=json.dumps(written(label.answer), ensure_ascii=False),
            late=label.late,
            seconds=at - task.asked_at,
            sound=self._kept(f"{task.id.call}-{task.id.number}.wav", phrase),
            at=datetime.fromtimestamp(at, UTC),
        )

    def day(self, agent: AgentId, since: datetime) -> Day:
        """What an agent has answered ``since`` then.

        Raises:
            SQLAlchemyError: it can't be read.
        """
        mine = select(LabelRow.seconds, LabelRow.late).where(LabelRow.agent == agent, LabelRow.at >= since.astimezone(UTC))
        with Session(self._engine) as session:
            answers = session.execute(mine).all()
        middle = Seconds(median(seconds for seconds, _ in answers)) if answers else None
        return Day(len(answers), sum(late for _, late in answers), middle)

    def _kept(self, name: str, phrase: bytes | None) -> str | None:
        if self._phrases is None or phrase is None:
            return None
        self._phrases.mkdir(parents=True, exist_ok=True)
        sound = AudioFrame(np.frombuffer(phrase, "<i2").astype(np.int16))
        write_kept(self._phrases / name, wav_of(Recording((sound,), TELEPHONY, "WAV/PCM_16")), self._keys)
        return name


def written(answer: Answer) -> Mapping[str, Any]:
    """As JSON: ``{"kind": "picked", "intent": ...}``, ``value``, ``typed``, ``canttell``."""
    return {"kind": type(answer).__name__.lower(), **asdict(answer)}
