"""From sound to the dialogue's events, the workers doubled."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.asr.endpointer import Endpointer, EndpointPolicy
from engine.core.audio import AudioFrame, frames_of, joined, silence
from engine.core.errors import ModelBroken, ModelOverloaded
from engine.core.units import Confidence, SampleIndex, Seconds
from engine.dialogue.events import Event, Heard, HeardNothing, RecogniserFailed, SpeechStarted
from engine.nlu.interpretation import Completeness
from engine.runtime.ear import Attention, Ear
from engine.runtime.hearing import Decoded, Hearing, Second
from engine.runtime.jobs import Recognise, Understood, Urgency
from engine.testing.parts import Loudness, tone, understood

POLICY = EndpointPolicy(partial_every=Seconds(0.0))
UTTERANCE = joined([silence(Seconds(0.3)), tone(Seconds(1.0)), silence(Seconds(3.0))])


class Stage:
    """One call's hearing; jobs wait until the test answers them."""

    def __init__(self, second: Second | None = None) -> None:
        self.jobs: list[tuple[Recognise, Urgency, asyncio.Future[Understood]]] = []
        self.posted: list[Decoded] = []
        self.events: list[Event] = []
        self.hearing = Hearing(Ear(Loudness(), Endpointer(POLICY)), "rev", self._submit, self.posted.append, second)
        self._at = 0

    def _submit(self, job: Recognise, urgency: Urgency) -> asyncio.Future[Understood]:
        future: asyncio.Future[Understood] = asyncio.get_running_loop().create_future()
        self.jobs.append((job, urgency, future))
        return future

    async def hear(self, sound: AudioFrame, answer: Understood | Exception | None = None) -> None:
        """Let the sound come in; each job is answered at once, if there is an answer."""
        for frame in frames_of(sound):
            self.events += self.hearing.hear(AudioFrame(frame.samples, start=SampleIndex(self._at)))
            self._at += len(frame.samples)
            for _, _, future in self.jobs:
                if answer is not None and not future.done():
                    future.set_exception(answer) if isinstance(answer, Exception) else future.set_result(answer)
            await self.settle()

    async def settle(self) -> None:
        await asyncio.sleep(0)
        while self.posted:
            self.events += self.hearing.answered(self.posted.pop(0), Seconds(self._at / 8000))
            await asyncio.sleep(0)

    @property
    def heard(self) -> list[Event]:
        return [event for event in self.events if not isinstance(event, SpeechStarted)]


async def test_while_nothing_is_asked_nothing_is_recognised() -> None:
    stage = Stage()
    await stage.hear(UTTERANCE, understood("hello"))

    assert stage.jobs == []
    assert stage.events == []


async def test_an_answer_is_heard_once_with_its_words_and_its_place() -> None:
    stage = Stage()
    stage.hearing.listen(Attention())
    await stage.hear(UTTERANCE, understood("lost card", "lost_card"))

    assert isinstance(stage.events[0], SpeechStarted)
    (heard,) = stage.heard
    assert isinstance(heard, Heard)
    assert heard.transcript.text == "lost card"
    assert heard.speech_start == pytest.approx(0.3, abs=0.05)
    assert heard.speech_end == pytest.approx(1.3, abs=0.05)
    assert [urgency for _, urgency, _ in stage.jobs] == [Urgency.TURN]


async def test_sound_without_words_is_told_as_such() -> None:
    stage = Stage()
    stage.hearing.listen(Attention())
    await stage.hear(UTTERANCE, understood(""))

    assert stage.heard == [HeardNothing()]


@pytest.mark.parametrize("error", [ModelOverloaded("late"), ModelBroken("dead"), TimeoutError()])
async def test_a_recogniser_that_fails_is_told_to_the_dialogue(error: Exception) -> None:
    stage = Stage()
    stage.hearing.listen(Attention())
    await stage.hear(UTTERANCE, error)

    assert stage.heard == [RecogniserFailed()]


@pytest.mark.parametrize(("finished", "ended"), [(0.9, True), (0.1, False), (None, False)])
async def test_who_sounds_finished_is_not_kept_waiting(finished: Confidence | None, ended: bool) -> None:
    stage = Stage()
    stage.hearing.listen(Attention())
    vague = replace(understood("where is it now", completeness=Completeness.UNKNOWN), finished=finished)
    await stage.hear(joined([silence(Seconds(0.3)), tone(Seconds(1.0)), silence(Seconds(0.6))]), vague)

    assert bool(stage.heard) is ended


async def test_an_answer_that_is_late_is_waited_for_and_then_counts() -> None:
    stage = Stage()
    stage.hearing.listen(Attention())
    await stage.hear(UTTERANCE)
    assert stage.heard == []
    assert stage.hearing.pending

    stage.jobs[0][2].set_result(understood("lost card", "lost_card"))
    await stage.settle()
    assert [type(event) for event in stage.heard] == [Heard]
    assert not stage.hearing.pending


async def test_closing_the_ear_takes_every_job_back_and_hears_nothing_more() -> None:
    stage = Stage()
    stage.hearing.listen(Attention())
    await stage.hear(UTTERANCE)
    stage.hearing.close()
    await stage.settle()

    assert all(future.cancelled() for _, _, future in stage.jobs)
    assert stage.heard == []
    assert not stage.hearing.pending


async def test_an_unsure_turn_waits_for_the_second_opinion_which_wins() -> None:
    second: asyncio.Future[Understood] = asyncio.get_running_loop().create_future()
    stage = Stage(lambda first, job: second)
    stage.hearing.listen(Attention())
    await stage.hear(UTTERANCE, understood("lost cart", sure=0.4))
    assert stage.heard == []

    second.set_result(understood("lost card", "lost_card"))
    await stage.settle()
    (heard,) = stage.heard
    assert isinstance(heard, Heard)
    assert heard.transcript.text == "lost card"


async def test_a_second_opinion_that_is_complete_ends_the_turn_before_the_long_wait() -> None:
    opinion: asyncio.Future[Understood] = asyncio.get_running_loop().create_future()
    stage = Stage(lambda first, job: opinion)
    stage.hearing.listen(Attention())
    await stage.hear(
        joined([tone(Seconds(1.0)), silence(Seconds(0.5))]), understood("lock my car", completeness=Completeness.UNKNOWN)
    )
    assert stage.heard == []
    opinion.set_result(understood("block my card", "lost_card"))
    await stage.settle()
    await stage.settle()

    (heard,) = stage.heard
    assert isinstance(heard, Heard)
    assert heard.transcript.text == "block my card"


async def test_a_second_opinion_that_fails_leaves_the_first() -> None:
    second: asyncio.Future[Understood] = asyncio.get_running_loop().create_future()
    stage = Stage(lambda first, job: second)
    stage.hearing.listen(Attention())
    await stage.hear(UTTERANCE, understood("lost cart", sure=0.4))
    second.set_exception(TimeoutError())
    await stage.settle()

    (heard,) = stage.heard
    assert isinstance(heard, Heard)
    assert heard.transcript.text == "lost cart"


async def test_a_sure_turn_asks_nobody_else() -> None:
    asked: list[str] = []

    def second(first: Understood, job: Recognise) -> None:
        asked.append(first.transcript.text)

    stage = Stage(second)
    stage.hearing.listen(Attention())
    await stage.hear(UTTERANCE, understood("lost card", "lost_card"))

    assert asked == ["lost card"]
    assert [type(event) for event in stage.heard] == [Heard]


async def test_a_bug_in_a_worker_is_not_taken_for_silence() -> None:
    stage = Stage()
    stage.hearing.listen(Attention())

    with pytest.raises(ZeroDivisionError):
        await stage.hear(UTTERANCE, ZeroDivisionError())
