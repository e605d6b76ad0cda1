"""A person's verdict on one question of one call, given with the engine's in sight.

Rules. It stands beside the engine's, which is never changed, and is what counts from then on. It gives its reason. Nobody judges
a call of their own. It proves nothing about the engine: who sees its verdict is led by it (``blind`` is false). What is kept of
it in the audit chain is kept with it or not at all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.core.errors import MediaError
from engine.qa.checks import Verdict
from engine.store.audit import Told, Trail
from engine.store.quality_models import RecordingRow, ReviewRow, ScoreRow, VerdictRow

LONGEST: Final = 2_000
"""Characters of a reason."""


class OverrulingRefused(MediaError):
    """A verdict that the rules don't allow; says what was expected and what was found."""


@dataclass(frozen=True, slots=True)
class Overruling:
    """What somebody says."""

    content: str
    """The recording."""

    card: str
    question: str
    verdict: Verdict
    by: str
    why: str


def overrule(trail: Trail, said: Overruling, told: Told, now: datetime) -> None:
    """Keep it.

    Raises:
        OverrulingRefused: the rules don't allow it, or there is no such question.
    """
    if not said.why.strip():
        raise OverrulingRefused("expected a reason, found nothing")
    with Session(trail.database) as session, session.begin():
        newest = select(ScoreRow).where(ScoreRow.content == said.content, ScoreRow.card == said.card)
        score = session.scalars(newest.order_by(ScoreRow.id.desc()).limit(1)).one_or_none()
        if score is None or session.get(VerdictRow, (score.id, said.question)) is None:
            raise OverrulingRefused("expected a question that a card asked of this call, found another")
        agent = json.loads(session.get_one(RecordingRow, said.content).facts).get("agent", "")
        if agent.strip().casefold() == said.by.strip().casefold():
            raise OverrulingRefused("expected a verdict of somebody who did not speak in the call, found its agent's")
        session.add(_row(said, score.revision, now))
        trail.append(session, told, now)


def _row(said: Overruling, revision: str, now: datetime) -> ReviewRow:
    return ReviewRow(
        content=said.content,
        card=said.card,
        revision=revision,
        question=said.question,
        verdict=said.verdict,
        reviewer=said.by,
        at=now,
        comment=said.why.strip()[:LONGEST],
        sample=None,
        blind=False,
    )
