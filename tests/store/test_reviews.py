"""Draws, reviews, appeals and stages in the database; its calls are synthetic (``engine.testing.quality``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.core.errors import MediaError
from engine.qa.appeals import Answer, Appeal, AppealRefused, AppealState, Terms
from engine.qa.calibration import calibrated, whole
from engine.qa.checks import Verdict
from engine.qa.effective import Source, effective
from engine.qa.promotion import Change, Stage
from engine.qa.sampling import Draw, draw
from engine.qa.sheets import Filled
from engine.store.appeals import Appeals
from engine.store.database import connect
from engine.store.quality_models import ReviewRow, SampledRow, ScoreRow, VerdictRow
from engine.store.reviews import Reviewer, Reviews
from engine.store.samples import CardKey, KeptDraw, Samples
from engine.store.stages import Stages
from engine.testing.quality import BEGIN, CARD, DAYS, REVISION, fill
from tests.databases import store_in

KEY = CardKey(CARD, REVISION)
NOW = BEGIN + timedelta(days=DAYS + 3)


@pytest.fixture
def database(tmp_path: Path) -> Engine:
    engine = connect(store_in(tmp_path))
    fill(engine, 300, seed=4)
    return engine


def drawn(database: Engine, size: int = 60, seed: int = 2) -> tuple[KeptDraw, Draw]:
    samples = Samples(database)
    chosen = draw(samples.candidates(KEY), size, seed)
    samples.keep(KEY, chosen, {"by": ["question"]}, NOW)
    return samples.draws(KEY)[-1], chosen


def as_the_engine_says(database: Engine, kept: KeptDraw, but: Sequence[str] = ()) -> list[Filled]:
    """Everything as the engine has it; unknown and the questions in ``but`` pass."""
    return [
        Filled(kept.id, it.call, one["id"], _said(one, but), "")
        for it in Samples(database).calls(kept)
        for one in it.result["questions"]
    ]


def _said(one: dict[str, str], but: Sequence[str]) -> Verdict:
    passes = one["id"] in but or one["verdict"] == "unknown"
    return Verdict.PASS if passes else Verdict(one["verdict"])


def failed_call(database: Engine, verdict: str = "fail") -> tuple[str, str]:
    """A call and a question of it that failed, on its last days."""
    wanted = select(ScoreRow.content, VerdictRow.question).join(VerdictRow, VerdictRow.score == ScoreRow.id)
    with Session(database) as session:
        row = session.execute(wanted.where(VerdictRow.verdict == verdict).order_by(ScoreRow.scored_at.desc())).first()
        assert row is not None
        return row.content, row.question


def test_all_scored_calls_can_be_drawn_and_no_other(database: Engine) -> None:
    samples = Samples(database)
    calls = samples.candidates(KEY)
    with Session(database) as session:
        scored = set(session.scalars(select(ScoreRow.content)))

    assert {it.call for it in calls} == scored
    assert all(len(it.verdicts) == 8 and it.facts and it.facts["agent"] and it.facts["language"] for it in calls)
    assert len(samples.candidates(KEY, since=BEGIN + timedelta(days=30))) < len(calls)
    assert samples.candidates(CardKey(CARD, "another")) == []
    assert samples.newest_revision(CARD) == KEY
    assert samples.newest_revision("another") is None


def test_a_draw_is_kept_with_what_an_estimate_needs(database: Engine) -> None:
    kept, chosen = drawn(database)
    with Session(database) as session:
        rows = {it.content: (it.stratum, it.probability) for it in session.scalars(select(SampledRow))}

    assert rows == {it.call: (it.stratum, it.probability) for it in chosen.calls}
    assert kept.sizes == {name: it.size for name, it in chosen.strata.items()}
    assert (kept.seed, kept.card, kept.drawn_at) == (2, KEY, NOW)
    assert [it.call for it in Samples(database).calls(kept)] == [it.call for it in chosen.calls]


def test_what_people_say_stands_beside_what_the_engine_says(database: Engine) -> None:
    kept, _ = drawn(database)
    reviews = Reviews(database)
    reviews.add(as_the_engine_says(database, kept), Reviewer("Ada", blind=True), NOW)
    evidence = reviews.evidence(KEY)
    found = {it.question: it for it in calibrated(evidence)}

    assert found["agent_gives_name"].agreement.calls == 60
    assert found["agent_gives_name"].agreement.figures["same"].value == pytest.approx(1.0)
    assert found["agent_gives_name"].wrong.value == 0.0
    assert found["agent_gives_name"].agreement.figures["coverage"].value != 1.0
    assert (whole(evidence).drawn, whole(evidence).scored) == (60, 60)


def test_a_reviewer_who_differs_is_seen_and_what_was_not_blind_is_not_evidence(database: Engine) -> None:
    kept, _ = drawn(database)
    reviews = Reviews(database)
    reviews.add(as_the_engine_says(database, kept, but=["states_outcome"]), Reviewer("Ada", blind=True), NOW)
    reviews.add(as_the_engine_says(database, kept), Reviewer("Ben", blind=False), NOW)
    found = {it.question: it for it in calibrated(reviews.evidence(KEY))}

    assert found["states_outcome"].agreement.figures["recall"].value is None
    assert (found["states_outcome"].wrong.value or 0.0) > 0.05
    assert found["states_outcome"].people.calls == 0
    assert whole(reviews.evidence(KEY)).lean.value < 0  # type: ignore[operator]
    assert reviews.not_blind(KEY) == 60 * 8
    assert reviews.said_by("Ada").keys() == {(kept.id, it.call, q) for it in Samples(database).calls(kept) for q in found}


def test_calls_that_two_people_scored_tell_how_far_people_agree(database: Engine) -> None:
    kept, _ = drawn(database)
    reviews = Reviews(database)
    for name, but in (("Ada", ()), ("Ben", ("asks_anything_else",))):
        reviews.add(as_the_engine_says(database, kept, but), Reviewer(name, blind=True), NOW)
    found = {it.question: it for it in calibrated(reviews.evidence(KEY))}

    assert found["asks_anything_else"].people.calls == 60
    assert found["agent_gives_name"].people.figures["ac1"].value == pytest.approx(1.0)
    assert (found["asks_anything_else"].people.figures["ac1"].value or 0.0) < 1.0


def test_a_languages_part_is_estimated_from_its_calls(database: Engine) -> None:
    kept, _ = drawn(database)
    reviews = Reviews(database)
    reviews.add(as_the_engine_says(database, kept), Reviewer("Ada", blind=True), NOW)
    every = reviews.evidence(KEY)
    parts = [every.of(language) for language in sorted({it.language for it in every.calls if it.language})]

    assert sum(len(it.calls) for it in parts) == len(every.calls)
    assert sum(sum(it.sizes[kept.id].values()) for it in parts) == pytest.approx(sum(every.sizes[kept.id].values()), abs=10)
    assert all(whole(it).drawn == len(it.calls) for it in parts)


def test_an_upheld_appeal_changes_the_effective_score_and_not_the_engines(database: Engine) -> None:
    call, question = failed_call(database)
    appeals, reviews = Appeals(database, Terms(timedelta(days=90))), Reviews(database)
    opened = appeals.open(call[:14], CARD, Appeal(question, "Kim", NOW, "I said it"))
    with Session(database) as session:
        before = session.scalars(select(ScoreRow).where(ScoreRow.content == call)).one()
    answered = appeals.answer(opened.id, Answer("Lou", NOW, "so it is", Verdict.PASS))
    with Session(database) as session:
        after = session.scalars(select(ScoreRow).where(ScoreRow.content == call)).one()
        row = session.scalars(select(ReviewRow)).one()
    score = effective(json.loads(after.result), reviews.said_of(call, KEY))

    assert (opened.appeal.state, answered.appeal.state) == (AppealState.OPEN, AppealState.UPHELD)
    assert (after.result, after.points) == (before.result, before.points)
    assert (row.verdict, row.reviewer, row.sample, row.blind, row.comment) == ("pass", "Lou", None, False, "so it is")
    assert score.verdicts[question].source is Source.APPEAL
    assert (score.points or 0.0) > (after.points or 0.0)
    assert whole(reviews.evidence(KEY)).overturned.value == 1.0


def test_a_rejected_appeal_changes_nothing_and_both_are_listed(database: Engine) -> None:
    call, question = failed_call(database)
    appeals = Appeals(database, Terms(timedelta(days=90)))
    opened = appeals.open(call, CARD, Appeal(question, "Kim", NOW, "I said it"))
    appeals.answer(opened.id, Answer("Lou", NOW, "no", None))
    (kept,) = appeals.listed()

    assert (kept.call, kept.verdict, kept.appeal.state) == (call, Verdict.FAIL, AppealState.REJECTED)
    assert kept.appeal.answer == Answer("Lou", NOW, "no", None)
    assert appeals.listed([AppealState.OPEN]) == []
    assert Reviews(database).said_of(call, KEY) == []
    with pytest.raises(AppealRefused, match="one appeal for each verdict"):
        appeals.open(call, CARD, Appeal(question, "Kim", NOW, "again"))
    with pytest.raises(AppealRefused, match="an open appeal"):
        appeals.answer(opened.id, Answer("Lou", NOW, "yes", Verdict.PASS))


def test_who_gave_a_verdict_on_it_does_not_answer(database: Engine) -> None:
    kept, _ = drawn(database, 276)
    Reviews(database).add(as_the_engine_says(database, kept), Reviewer("Ada", blind=True), NOW)
    call, question = failed_call(database)
    appeals = Appeals(database, Terms(timedelta(days=90)))
    opened = appeals.open(call, CARD, Appeal(question, "Kim", NOW, "I said it"))

    with pytest.raises(AppealRefused, match="who gave a verdict on it"):
        appeals.answer(opened.id, Answer("Ada", NOW, "no", None))


def test_what_is_not_there_is_named(database: Engine) -> None:
    call, _ = failed_call(database)
    appeals = Appeals(database)
    for bad, card, question, message in (
        ("f" * 20, CARD, "states_outcome", "expected a call that card inbound_service has scored, found 0"),
        ("", CARD, "states_outcome", "expected a call that card"),
        (call, "another", "states_outcome", "expected a call that card another has scored, found 0"),
        (call, CARD, "stated_outcome", "expected a question of card inbound_service, found 'stated_outcome'"),
    ):
        with pytest.raises(MediaError, match=message):
            appeals.open(bad, card, Appeal(question, "Kim", NOW, "I said it"))
    with pytest.raises(MediaError, match="expected the number of an appeal, found 77"):
        appeals.answer(77, Answer("Lou", NOW, "no", None))


def test_a_persons_last_verdict_counts_where_nobody_appealed(database: Engine) -> None:
    kept, _ = drawn(database, 276)
    reviews = Reviews(database)
    filled = as_the_engine_says(database, kept)
    reviews.add(filled, Reviewer("Ada", blind=True), NOW)
    reviews.add([filled[0]], Reviewer("Ben", blind=True), NOW + timedelta(hours=1))
    said = reviews.said_of(filled[0].call, KEY)
    counts = effective({"questions": [{"id": filled[0].question, "verdict": "fail"}]}, said).verdicts[filled[0].question]

    assert (counts.source, counts.by) == (Source.REVIEW, "Ben")


def test_the_newest_stage_counts_and_another_revision_begins_anew(database: Engine) -> None:
    stages = Stages(database)
    for stage in (Stage.ASSISTED, Stage.AUTOMATIC):
        stages.keep(KEY, Change("greets", stage, "Ada", "reviews allow it"), datetime.now(UTC))

    assert stages.of(KEY) == {"greets": Stage.AUTOMATIC}
    assert stages.of(CardKey(CARD, "another")) == {}
