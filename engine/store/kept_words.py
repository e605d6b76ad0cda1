"""The words about one recording that the database keeps, for the proof that no secret is among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.store.quality_models import AppealRow, RecordingRow, ReviewRow, ScoreRow


def kept_words(engine: Engine, audio: str) -> Iterator[tuple[str, Any]]:
    """Give what is kept of the recording whose masked sound has this place in the folder: a name for it, and its JSON.

    Scores' results as they are, comments of reviews and appeals with their answers as ``{"comment": ...}``.
    """
    with Session(engine) as session:
        content = session.scalar(select(RecordingRow.content).where(RecordingRow.audio == audio))
        if content is None:
            return
        scores = list(session.scalars(select(ScoreRow).where(ScoreRow.content == content)))
        yield from ((f"score {row.id}", json.loads(row.result)) for row in scores)
        for review in session.scalars(select(ReviewRow).where(ReviewRow.content == content)):
            yield f"review {review.id}", {"comment": review.comment}
        for appeal in session.scalars(select(AppealRow).where(AppealRow.score.in_([row.id for row in scores]))):
            yield f"appeal {appeal.id}", {"text": appeal.text, "answer": appeal.answer}
