"""What people say of calls, beside what the engine says of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from engine.core.units import Confidence, Language
from engine.qa.appeals import AppealState
from engine.qa.calibration import Evidence, Given, ReviewedCall
from engine.qa.checks import Verdict
from engine.qa.effective import Said, counted
from engine.qa.sheets import Filled
from engine.store.quality_models import AppealRow, RecordingRow, ReviewRow, SampledRow, ScoreRow
from engine.store.samples import CardKey, DrawnCall, KeptDraw, Samples, utc

_Answers = Mapping[str, Mapping[str, Verdict]]


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who filled in a sheet."""

    name: str

    blind: bool
    """Whether the engine's verdicts were hidden."""


class Reviews:
    """The table ``reviews``, and what it says together with the draws."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._samples = Samples(engine)

    def add(self, filled: Sequence[Filled], by: Reviewer, now: datetime) -> int:
        """Keep what was on a sheet, all or nothing; gives how many verdicts."""
        cards = {it.id: it.card for it in self._samples.draws()}
        with Session(self._engine) as session, session.begin():
            session.add_all(_row(it, by, cards[it.sample], now) for it in filled)
        return len(filled)

    def said_by(self, reviewer: str) -> Mapping[tuple[int, str, str], Verdict]:
        """What somebody said of drawn calls: by sample, call and question."""
        wanted = select(ReviewRow).where(ReviewRow.reviewer == reviewer, ReviewRow.sample.is_not(None))
        with Session(self._engine) as session:
            return {(it.sample or 0, it.content, it.question): Verdict(it.verdict) for it in session.scalars(wanted)}

    def said_of(self, content: str, card: CardKey) -> list[Said]:
        """What people said of a call, on sheets and on appeal: what its effective score is made of."""
        theirs = (ReviewRow.content == content) & (ReviewRow.card == card.name) & (ReviewRow.revision == card.revision)
        with Session(self._engine) as session:
            upheld = _upheld(session, content, card)
            return [
                Said(it.question, Verdict(it.verdict), it.reviewer, utc(it.at), (it.question, it.reviewer, utc(it.at)) in upheld)
                for it in session.scalars(select(ReviewRow).where(theirs))
            ]

    def not_blind(self, card: CardKey) -> int:
        """How many verdicts on drawn calls were given with the engine's in sight; none of them counts as evidence."""
        theirs = (ReviewRow.card == card.name) & (ReviewRow.revision == card.revision)
        seen = theirs & ReviewRow.sample.is_not(None) & ReviewRow.blind.is_(False)
        with Session(self._engine) as session:
            return session.scalar(select(func.count()).select_from(ReviewRow).where(seen)) or 0

    def evidence(self, card: CardKey) -> Evidence:
        """Every draw of a revision with what people said of it, and how its appeals ended."""
        draws = self._samples.draws(card)
        with Session(self._engine) as session:
            calls = [it for draw in draws for it in self._reviewed(session, draw)]
            decided = _decided(session, card)
        return Evidence(calls, {it.id: it.sizes for it in draws}, decided)

    def _reviewed(self, session: Session, draw: KeptDraw) -> list[ReviewedCall]:
        said = _said(session, draw.id)
        languages = dict(
            session.execute(
                select(RecordingRow.content, RecordingRow.language)
                .join(SampledRow, SampledRow.content == RecordingRow.content)
                .where(SampledRow.sample == draw.id)
            ).all()
        )
        return [_reviewed(draw.id, it, languages[it.call], said.get(it.call, {})) for it in self._samples.calls(draw)]


def _reviewed(draw: int, it: DrawnCall, language: str | None, said: _Answers) -> ReviewedCall:
    given = {one["id"]: Given(Verdict(one["verdict"]), _sure(one["confidence"]), counted(one)) for one in it.result["questions"]}
    spoken = None if language is None else Language(language)
    return ReviewedCall(draw, it.call, it.stratum, spoken, it.result["score"], it.result["fatal"], given, said)


def _sure(confidence: float | None) -> Confidence | None:
    return None if confidence is None else Confidence(confidence)


def _said(session: Session, draw: int) -> Mapping[str, _Answers]:
    found: dict[str, dict[str, dict[str, Verdict]]] = defaultdict(lambda: defaultdict(dict))
    wanted = select(ReviewRow).where(ReviewRow.sample == draw, ReviewRow.blind.is_(True))
    for it in session.scalars(wanted.order_by(ReviewRow.reviewer, ReviewRow.id)):
        found[it.content][it.reviewer][it.question] = Verdict(it.verdict)
    return found


def _decided(session: Session, card: CardKey) -> tuple[int, int]:
    """Appeals that were upheld, and that were answered."""
    ours = (ScoreRow.card == card.name) & (ScoreRow.revision == card.revision)
    wanted = select(AppealRow.state, func.count()).join(ScoreRow, ScoreRow.id == AppealRow.score).where(ours)
    often = dict(session.execute(wanted.group_by(AppealRow.state)).all())
    upheld = often.get(AppealState.UPHELD.value, 0)
    return upheld, upheld + often.get(AppealState.REJECTED.value, 0)


def _upheld(session: Session, content: str, card: CardKey) -> set[tuple[str, str | None, datetime | None]]:
    """Question, answerer and time of a call's upheld appeals: what tells their verdicts from those on sheets."""
    ours = (ScoreRow.content == content) & (ScoreRow.card == card.name) & (ScoreRow.revision == card.revision)
    wanted = select(AppealRow).join(ScoreRow, ScoreRow.id == AppealRow.score).where(ours, AppealRow.state == AppealState.UPHELD)
    return {(it.question, it.answered_by, utc(it.answered_at) if it.answered_at else None) for it in session.scalars(wanted)}


def _row(it: Filled, by: Reviewer, card: CardKey, now: datetime) -> ReviewRow:
    return ReviewRow(
        content=it.call,
        card=card.name,
        revision=card.revision,
        question=it.question,
        verdict=it.verdict,
        reviewer=by.name,
        at=now,
        comment=it.comment,
        sample=it.sample,
        blind=by.blind,
    )
