"""Scores in the database: what a card's revision says of what a model heard, once and for ever."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store.quality_models import ScoreRow, VerdictRow


def add_scores(
    session: Session, content: str, model: str, results: Sequence[Mapping[str, Any]], now: datetime
) -> Sequence[Mapping[str, Any]]:
    """Keep results (``engine.qa.results``) with their verdicts; gives those that are new, what is there already stays as it is.

    In the caller's transaction, which must hold the recording: nobody else adds to its scores meanwhile.
    """
    known = scored_by(session, content, model)
    new = [it for it in results if (it["scorecard"], it["revision"]) not in known]
    for result in new:
        row = _score(content, model, result, now)
        session.add(row)
        session.flush()  # its id names the verdicts
        session.add_all(_verdicts(row.id, result))
    return new


def scored_by(session: Session, content: str, model: str) -> frozenset[tuple[str, str]]:
    """Names and revisions of the cards that scored what the model heard."""
    rows = select(ScoreRow.card, ScoreRow.revision).where(ScoreRow.content == content, ScoreRow.model == model)
    return frozenset((card, revision) for card, revision in session.execute(rows))


def _score(content: str, model: str, result: Mapping[str, Any], now: datetime) -> ScoreRow:
    return ScoreRow(
        content=content,
        model=model,
        card=result["scorecard"],
        revision=result["revision"],
        points=result["score"],
        fatal=result["fatal"],
        result=json.dumps(result, ensure_ascii=False, separators=(",", ":")),
        scored_at=now,
    )


def _verdicts(score: int, result: Mapping[str, Any]) -> Sequence[VerdictRow]:
    return [
        VerdictRow(score=score, question=it["id"], verdict=it["verdict"], confidence=it["confidence"])
        for it in result["questions"]
    ]
