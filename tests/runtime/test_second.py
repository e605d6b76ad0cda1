"""Who gets a second opinion, and what comes of it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from engine.asr.protocol import Hints
from engine.core.errors import ModelOverloaded
from engine.core.speech import ENGLISH, RUSSIAN
from engine.core.units import Confidence, Seconds
from engine.dialogue.graph import Thresholds
from engine.nlu.interpretation import Question
from engine.runtime.jobs import Interpret, Recognise, Understood, Urgency
from engine.runtime.pool import Pool
from engine.runtime.second import SecondOpinion
from engine.testing.parts import tone, understood

JOB = Recognise.of(tone(Seconds(1.0)), Hints(), Question(), "rev")
LIMITS = Thresholds(accept=Confidence(0.7), confirm=Confidence(0.4), margin=Confidence(0.1))


class Workers:
    """Answers with what it was given; ``None``: never."""

    def __init__(self, answer: Understood | Exception | None) -> None:
        self._answer = answer
        self.jobs: list[tuple[Any, Urgency]] = []

    def submit(self, job: Any, urgency: Urgency = Urgency.TURN) -> asyncio.Future[Any]:
        self.jobs.append((job, urgency))
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if isinstance(self._answer, Exception):
            future.set_exception(self._answer)
        elif self._answer is not None:
            future.set_result(self._answer)
        return future


def opinion(live: Workers, other: Workers) -> SecondOpinion:
    return SecondOpinion(cast("Pool", live), cast("Pool", other), frozenset({ENGLISH}), LIMITS)


async def test_an_unsure_turn_is_heard_again_and_its_meaning_taken_anew() -> None:
    live, other = Workers(understood("block my card", "lost_card")), Workers(understood("block my card", sure=0.95))
    asked = opinion(live, other)(understood("black my car", sure=0.3), JOB)
    assert asked is not None

    assert (await asked).interpretation.candidates[0].intent == "lost_card"
    assert other.jobs == [(JOB, Urgency.SECOND)]
    ((interpreted, _),) = live.jobs
    assert isinstance(interpreted, Interpret)
    assert interpreted.transcript.text == "block my card"


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(understood("lost card", "lost_card", sure=0.8), id="the meaning is sure, though the words are not"),
        pytest.param(understood("anything at all", sure=0.95), id="the words are sure"),
        pytest.param(understood("", sure=0.2), id="nothing was said"),
    ],
)
async def test_nobody_is_asked_where_it_would_change_nothing(first: Understood) -> None:
    other = Workers(None)

    assert opinion(Workers(None), other)(first, JOB) is None
    assert other.jobs == []


async def test_a_language_that_only_one_recogniser_knows_gets_one_opinion() -> None:
    russian = Recognise.of(tone(Seconds(1.0)), Hints(RUSSIAN), Question(RUSSIAN), "rev")

    assert opinion(Workers(None), Workers(None))(understood("???", sure=0.1), russian) is None


async def test_a_second_recogniser_that_is_busy_is_told_as_such() -> None:
    asked = opinion(Workers(None), Workers(ModelOverloaded("busy")))(understood("black my car", sure=0.3), JOB)
    assert asked is not None

    with pytest.raises(ModelOverloaded):
        await asked


async def test_the_caller_is_not_kept_waiting_for_ever() -> None:
    asked = opinion(Workers(None), Workers(None))(understood("black my car", sure=0.3), JOB)
    assert asked is not None

    with pytest.raises(TimeoutError):
        await asked
