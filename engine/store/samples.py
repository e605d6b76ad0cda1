"""Draws of calls for people to score: what can be drawn, what was, and on what sheet."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, func, select
from sqlalchemy.orm import Session

from engine.qa.checks import Verdict
from engine.qa.ledger import State
from engine.qa.sampling import Candidate, Draw, place
from engine.store.quality_models import RecordingRow, SampledRow, SampleRow, ScoreRow, SightingRow, VerdictRow

_AT_ONCE = 500  # names in one query; SQLite takes at most 32,766 values, PostgreSQL a little more


@dataclass(frozen=True, slots=True)
class CardKey:
    """One revision of one card."""

    name: str

    revision: str


@dataclass(frozen=True, slots=True)
class DrawnCall:
    """A call of a draw, as its sheet needs it."""

    call: str

    stratum: str

    probability: float

    audio: str | None
    """The masked sound's place in the QA folder."""

    name: str
    """What the bank calls it."""

    result: Mapping[str, Any]
    """What the engine says of it (``engine.qa.results``)."""


@dataclass(frozen=True, slots=True)
class KeptDraw:
    """A draw as it was kept."""

    id: int

    card: CardKey

    drawn_at: datetime

    seed: int

    sizes: Mapping[str, int]
    """Calls in each stratum."""


def newest_scores(card: CardKey) -> Select[Any]:
    """The ids of what the revision says last of each call: of what the newest model heard."""
    of_card = (ScoreRow.card == card.name) & (ScoreRow.revision == card.revision)
    return select(func.max(ScoreRow.id)).where(of_card).group_by(ScoreRow.content)


def began() -> ColumnElement[datetime]:
    """When a call began, or was first seen where nobody told."""
    return func.coalesce(RecordingRow.started_at, RecordingRow.seen_at, type_=RecordingRow.__table__.c.seen_at.type)


def utc(found: datetime) -> datetime:
    """SQLite keeps no zone: what it gives back naive was UTC."""
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


class Samples:
    """The tables ``samples`` and ``sampled``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest_revision(self, card: str) -> CardKey | None:
        """Of all that scored something, the one that did so last; ``None`` where none did."""
        with Session(self._engine) as session:
            last = select(ScoreRow.revision).where(ScoreRow.card == card).order_by(ScoreRow.id.desc()).limit(1)
            revision = session.scalar(last)
            return None if revision is None else CardKey(card, revision)

    def candidates(self, card: CardKey, since: datetime | None = None) -> list[Candidate]:
        """Every call that the revision has scored."""
        newest = newest_scores(card).scalar_subquery()
        columns = (ScoreRow.id, ScoreRow.content, ScoreRow.points, ScoreRow.fatal, RecordingRow.facts, RecordingRow.language)
        wanted = select(*columns).join(RecordingRow, RecordingRow.content == ScoreRow.content)
        wanted = wanted.where(ScoreRow.id.in_(newest), RecordingRow.state != State.ERASED)
        if since is not None:
            wanted = wanted.where(began() >= since.astimezone(UTC))
        with Session(self._engine) as session:
            verdicts = _verdicts(session, newest)
            return [
                Candidate(row.content, verdicts[row.id], row.points, row.fatal, _facts(row.facts, row.language))
                for row in session.execute(wanted)
            ]

    def keep(self, card: CardKey, draw: Draw, design: Mapping[str, Any], now: datetime) -> int:
        """Keep a draw; gives its number."""
        strata = {name: {"size": it.size, "drawn": it.drawn} for name, it in draw.strata.items()}
        written = json.dumps({**design, "seed": draw.seed, "strata": strata}, ensure_ascii=False)
        with Session(self._engine) as session, session.begin():
            row = SampleRow(card=card.name, revision=card.revision, drawn_at=now, design=written)
            session.add(row)
            session.flush()
            session.add_all(
                SampledRow(sample=row.id, content=it.call, stratum=it.stratum, probability=it.probability) for it in draw.calls
            )
            return row.id

    def draws(self, card: CardKey | None = None) -> list[KeptDraw]:
        """All draws, or a revision's, the oldest first."""
        wanted = select(SampleRow).order_by(SampleRow.id)
        if card is not None:
            wanted = wanted.where(SampleRow.card == card.name, SampleRow.revision == card.revision)
        with Session(self._engine) as session:
            return [_kept(row) for row in session.scalars(wanted)]

    def calls(self, draw: KeptDraw) -> list[DrawnCall]:
        """The calls of a draw, in its order, with what the engine says of them."""
        newest = newest_scores(draw.card).scalar_subquery()
        wanted = (
            select(SampledRow, RecordingRow, ScoreRow.result)
            .join(RecordingRow, RecordingRow.content == SampledRow.content)
            .join(ScoreRow, ScoreRow.content == SampledRow.content)
            .where(SampledRow.sample == draw.id, ScoreRow.id.in_(newest))
        )
        with Session(self._engine) as session:
            rows = list(session.execute(wanted))
            seen_at = _addresses(session, [it.content for it, *_ in rows])
        calls = [_drawn(it, recording, seen_at.get(it.content), json.loads(result)) for it, recording, result in rows]
        return sorted(calls, key=lambda it: place(draw.seed, it.call))


def _verdicts(session: Session, newest: Any) -> Mapping[int, Mapping[str, Verdict]]:
    found: dict[int, dict[str, Verdict]] = defaultdict(dict)
    wanted = select(VerdictRow.score, VerdictRow.question, VerdictRow.verdict).where(VerdictRow.score.in_(newest))
    for score, question, verdict in session.execute(wanted):
        found[score][question] = Verdict(verdict)
    return found


def _addresses(session: Session, calls: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for first in range(0, len(calls), _AT_ONCE):
        some = SightingRow.content.in_(calls[first : first + _AT_ONCE])
        found |= {it.content: it.address for it in session.scalars(select(SightingRow).where(some).order_by(SightingRow.seen_at))}
    return found


def _facts(facts: str, language: str | None) -> Mapping[str, str]:
    known = {str(name): str(value) for name, value in json.loads(facts).items()}
    return known if language is None else {**known, "language": language}


def _kept(row: SampleRow) -> KeptDraw:
    design = json.loads(row.design)
    sizes = {name: int(it["size"]) for name, it in design["strata"].items()}
    return KeptDraw(row.id, CardKey(row.card, row.revision), utc(row.drawn_at), int(design["seed"]), sizes)


def _drawn(row: SampledRow, recording: RecordingRow, address: str | None, result: Mapping[str, Any]) -> DrawnCall:
    name = json.loads(recording.facts).get("call_id") or address or row.content[:12]
    return DrawnCall(row.content, row.stratum, row.probability, recording.audio, str(name), result)
