"""How far each question is trusted, in the database: the newest row counts, and the rows before it tell the story."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.qa.promotion import Change, Stage
from engine.store.quality_models import StageRow
from engine.store.samples import CardKey


class Stages:
    """The table ``stages``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, card: CardKey) -> Mapping[str, Stage]:
        """The stage of each question that has ever left the shadow; all others are in it."""
        wanted = select(StageRow).where(StageRow.card == card.name, StageRow.revision == card.revision).order_by(StageRow.id)
        with Session(self._engine) as session:
            return {it.question: Stage(it.stage) for it in session.scalars(wanted)}

    def keep(self, card: CardKey, change: Change, now: datetime) -> None:
        """Keep what somebody decided."""
        row = StageRow(card=card.name, revision=card.revision, question=change.question, stage=change.stage)
        row.at, row.by, row.why = now, change.by, change.why
        with Session(self._engine) as session, session.begin():
            session.add(row)
