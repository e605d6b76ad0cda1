"""What was done for each recording so far, read in pages: memory does not grow with their number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from engine.core.units import Language
from engine.qa.ledger import Known, State
from engine.store.quality_models import RecordingRow, ScoreRow

_PAGE = 500  # recordings


def holdings(connection: Connection, states: Sequence[State]) -> Iterator[tuple[str, Known]]:
    """Every recording in one of these states that was heard: its content, and what is known of it."""
    columns = (RecordingRow.content, RecordingRow.model, RecordingRow.language, RecordingRow.facts, RecordingRow.audio)
    heard = select(*columns).where(RecordingRow.state.in_(list(states)), RecordingRow.model.is_not(None))
    last = ""
    while page := connection.execute(heard.where(RecordingRow.content > last).order_by(RecordingRow.content).limit(_PAGE)).all():
        scores = _scores(connection, [row.content for row in page])
        yield from ((row.content, _known(row, scores)) for row in page)
        last = page[-1].content


def _scores(connection: Connection, contents: Sequence[str]) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Names and revisions of cards, by content and model."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    rows = select(ScoreRow.content, ScoreRow.model, ScoreRow.card, ScoreRow.revision).where(ScoreRow.content.in_(contents))
    for content, model, card, revision in connection.execute(rows):
        found.setdefault((content, model), set()).add((card, revision))
    return found


def _known(row: Row[*tuple[Any, ...]], scores: dict[tuple[str, str], set[tuple[str, str]]]) -> Known:
    language = None if row.language is None else Language(row.language)
    return Known(
        row.model, language, json.loads(row.facts), frozenset(scores.get((row.content, row.model), ())), row.audio is None
    )
