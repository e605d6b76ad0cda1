"""Appeals in the database. The rules are ``engine.qa.appeals``'; an upheld appeal's verdict becomes a row of ``reviews``."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Engine, Select, select
from sqlalchemy.orm import Session

from engine.core.errors import MediaError
from engine.qa.appeals import Answer, Appeal, AppealState, Disputed, Terms, answer_to, object_to
from engine.qa.checks import Verdict
from engine.store.found_models import FoundCallRow
from engine.store.quality_models import AppealRow, RecordingRow, ReviewRow, ScoreRow, VerdictRow
from engine.store.samples import CardKey, utc


@dataclass(frozen=True, slots=True)
class KeptAppeal:
    """An appeal with what it is about."""

    id: int

    call: str

    card: CardKey

    verdict: Verdict
    """The engine's."""

    appeal: Appeal


class Appeals:
    """The table ``appeals``. Every change is decided and written in one transaction."""

    def __init__(self, engine: Engine, terms: Terms | None = None) -> None:
        self._engine = engine
        self._terms = terms or Terms()

    def open(self, call: str, card: str, appeal: Appeal) -> KeptAppeal:
        """Object to the newest verdict of a card on a call; ``call`` may be the beginning of its hash.

        Raises:
            MediaError: there is no such call, score or question.
            AppealRefused: the rules don't allow it.
        """
        with Session(self._engine) as session, session.begin():
            score = _newest(session, call, card)
            disputed = _disputed(session, score, appeal.question)
            last = select(AppealRow).where(AppealRow.score == score.id, AppealRow.question == appeal.question)
            earlier = session.scalars(last.with_for_update()).first()
            opened = object_to(disputed, appeal, _appeal(earlier) if earlier else None, self._terms)
            row = AppealRow(score=score.id, question=opened.question, by=opened.by, at=opened.at, text=opened.text)
            row.state = opened.state
            session.add(row)
            session.flush()
            return _kept(row, score, disputed.verdict)

    def answer(self, number: int, answer: Answer) -> KeptAppeal:
        """Decide an appeal.

        Raises:
            MediaError: there is no such appeal.
            AppealRefused: the rules don't allow it.
        """
        with Session(self._engine) as session, session.begin():
            row = session.get(AppealRow, number, with_for_update=True)
            if row is None:
                raise MediaError(f"expected the number of an appeal, found {number}")
            score = session.get_one(ScoreRow, row.score)
            disputed = _disputed(session, score, row.question)
            decided = answer_to(disputed, _appeal(row), answer)
            row.state, row.answer, row.answered_by, row.answered_at = decided.state, answer.text, answer.by, answer.at
            if answer.right is not None:
                session.add(_verdict_of(answer, answer.right, row, score))
            session.flush()
            return _kept(row, score, disputed.verdict)

    def result_of(self, kept: KeptAppeal) -> str:
        """What the engine said of the call when the appeal was opened: JSON (``engine.qa.results``)."""
        wanted = select(ScoreRow.result).join(AppealRow, AppealRow.score == ScoreRow.id).where(AppealRow.id == kept.id)
        with Session(self._engine) as session:
            return session.scalars(wanted).one()

    def listed(self, states: Collection[AppealState] = tuple(AppealState)) -> list[KeptAppeal]:
        """Appeals in these states, the oldest first."""
        return self._read(_WITH_VERDICT.where(AppealRow.state.in_(list(states))).order_by(AppealRow.at, AppealRow.id))

    def numbered(self, number: int) -> KeptAppeal | None:
        """One of them."""
        return next(iter(self._read(_WITH_VERDICT.where(AppealRow.id == number))), None)

    def seen(self, states: Collection[AppealState], teams: Collection[str], first: int, most: int) -> list[KeptAppeal]:
        """So many of those in these states, from the ``first``: the open ones first, of them the oldest.

        They are about calls that can be found; of these ``teams``, where any are named.
        """
        wanted = _WITH_VERDICT.join(FoundCallRow, FoundCallRow.content == ScoreRow.content)
        wanted = wanted.where(AppealRow.state.in_(list(states)))
        wanted = wanted.where(FoundCallRow.team.in_(list(teams))) if teams else wanted
        order = (AppealRow.state != AppealState.OPEN, AppealRow.at, AppealRow.id)
        return self._read(wanted.order_by(*order).offset(first).limit(most))

    def _read(self, wanted: Select[*tuple[Any, ...]]) -> list[KeptAppeal]:
        with Session(self._engine) as session:
            return [_kept(row.AppealRow, row, Verdict(row.verdict)) for row in session.execute(wanted)]


_WITH_VERDICT: Final = (
    select(AppealRow, ScoreRow.content, ScoreRow.card, ScoreRow.revision, VerdictRow.verdict)
    .join(ScoreRow, ScoreRow.id == AppealRow.score)
    .join(VerdictRow, (VerdictRow.score == AppealRow.score) & (VerdictRow.question == AppealRow.question))
)
"""Without the score's result, which is long."""


def _newest(session: Session, call: str, card: str) -> ScoreRow:
    start = ScoreRow.content.startswith(call.lower(), autoescape=True)
    found = session.scalars(select(ScoreRow).where(start, ScoreRow.card == card).order_by(ScoreRow.id.desc())).all()
    if len({it.content for it in found}) != 1 or not call:
        raise MediaError(f"expected a call that card {card} has scored, found {len({it.content for it in found})} for {call!r}")
    return found[0]


def _disputed(session: Session, score: ScoreRow, question: str) -> Disputed:
    verdict = session.get(VerdictRow, (score.id, question))
    if verdict is None:
        raise MediaError(f"expected a question of card {score.card}, found {question!r}")
    agent = json.loads(session.get_one(RecordingRow, score.content).facts).get("agent")
    of_it = (ReviewRow.content == score.content) & (ReviewRow.card == score.card) & (ReviewRow.question == question)
    judges = tuple(session.scalars(select(ReviewRow.reviewer).where(of_it).distinct()))
    return Disputed(question, Verdict(verdict.verdict), utc(score.scored_at), agent, judges)


def _verdict_of(answer: Answer, right: Verdict, row: AppealRow, score: ScoreRow) -> ReviewRow:
    return ReviewRow(
        content=score.content,
        card=score.card,
        revision=score.revision,
        question=row.question,
        verdict=right,
        reviewer=answer.by,
        at=answer.at,
        comment=answer.text,
        sample=None,
        blind=False,
    )


def _appeal(row: AppealRow) -> Appeal:
    return Appeal(row.question, row.by, utc(row.at), row.text, AppealState(row.state), _answer(row))


def _answer(row: AppealRow) -> Answer | None:
    if row.answered_at is None:
        return None
    return Answer(row.answered_by or "", utc(row.answered_at), row.answer or "", None)


class _Scored(Protocol):
    content: Any
    card: Any
    revision: Any


def _kept(row: AppealRow, score: _Scored, verdict: Verdict) -> KeptAppeal:
    return KeptAppeal(row.id, score.content, CardKey(score.card, score.revision), verdict, _appeal(row))
