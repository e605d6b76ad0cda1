"""Dictation: the workers doubled, a loud tone for a voice."""

from __future__ import annotations

import asyncio

import pytest

from engine.asr.phrasing import Phrasing
from engine.asr.protocol import Hints
from engine.core.audio import AudioFrame, joined, silence
from engine.core.errors import ModelBroken, ModelError, ModelOverloaded
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.runtime.dictation import Dictated, Dictation, Final, Lost, Partial
from engine.runtime.jobs import Transcribe, Urgency
from engine.testing.parts import Loudness, tone
from engine.testing.recognisers import spread

PAUSE = silence(Seconds(1.0))
SPOKEN = joined([PAUSE, tone(Seconds(1.0)), PAUSE])


def says(text: str, sound: AudioFrame) -> Transcript:
    return Transcript(spread(text, sound.duration, Confidence(0.9)))


class Desk:
    """One dictation, and workers that answer when the test says so."""

    def __init__(self, urgency: Urgency = Urgency.TURN) -> None:
        self.jobs: list[tuple[Transcribe, Urgency, asyncio.Future[Transcript]]] = []
        self.told: list[Dictated] = []
        self.dictation = Dictation(Phrasing(Loudness()), Hints(), self._ask, self.told.append, urgency)

    def _ask(self, job: Transcribe, urgency: Urgency) -> asyncio.Future[Transcript]:
        future: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
        self.jobs.append((job, urgency, future))
        return future

    async def hear(self, sound: AudioFrame) -> None:
        for offset in range(0, len(sound.samples), 1600):
            self.dictation.hear(AudioFrame(sound.samples[offset : offset + 1600]))
            await self.rest()

    async def answer(self, number: int, answer: str | ModelError) -> None:
        job, _, future = self.jobs[number]
        if isinstance(answer, str):
            future.set_result(says(answer, job.sound))
        else:
            future.set_exception(answer)
        await self.rest()

    async def rest(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)


async def test_a_phrase_is_told_once_with_its_words_on_the_timeline_of_the_channel() -> None:
    desk = Desk()
    await desk.hear(SPOKEN)
    await desk.answer(-1, "good morning")

    (final,) = [one for one in desk.told if not isinstance(one, Partial)]
    assert isinstance(final, Final)
    assert final.transcript.text == "good morning"
    assert final.transcript.words[0].start == pytest.approx(0.7, abs=0.02)
    assert final.transcript.words[0].confidence == 0.9
    assert final.transcript.final
    assert (final.start, final.end) == pytest.approx((1.0, 2.0))
    assert not desk.dictation.pending


async def test_while_somebody_speaks_there_are_partial_results() -> None:
    desk = Desk()
    await desk.hear(joined([PAUSE, tone(Seconds(0.8))]))
    await desk.answer(0, "good")
    await desk.hear(tone(Seconds(0.8)))
    await desk.answer(1, "good morning")

    assert [urgency for _, urgency, _ in desk.jobs] == [Urgency.PARTIAL, Urgency.PARTIAL]
    assert [one.transcript.text for one in desk.told if isinstance(one, Partial)] == ["good", "good morning"]
    assert not any(one.transcript.final for one in desk.told if isinstance(one, Partial))


async def test_what_is_known_before_the_phrase_ends_is_told_as_a_partial_result() -> None:
    desk = Desk()
    await desk.hear(joined([tone(Seconds(0.3)), silence(Seconds(0.5))]))
    await desk.answer(-1, "yes")

    (partial,) = desk.told
    assert isinstance(partial, Partial)
    await desk.hear(PAUSE)
    assert isinstance(desk.told[-1], Final)
    assert len(desk.jobs) == 1


@pytest.mark.parametrize("code", [ModelOverloaded("busy"), ModelBroken("dead")])
async def test_no_partial_result_is_no_harm(code: ModelError) -> None:
    desk = Desk()
    await desk.hear(joined([PAUSE, tone(Seconds(0.8))]))
    await desk.answer(0, code)
    await desk.hear(joined([tone(Seconds(0.8)), PAUSE]))
    await desk.answer(-1, "good morning")

    assert [type(one) for one in desk.told] == [Final]


async def test_phrases_are_told_in_their_order_however_they_are_answered() -> None:
    desk = Desk()
    await desk.hear(joined([tone(Seconds(0.5)), PAUSE, tone(Seconds(0.5)), PAUSE]))
    first, second = (number for number, job in enumerate(desk.jobs) if job[1] is Urgency.TURN)
    await desk.answer(second, "second")
    assert desk.told == []
    assert desk.dictation.pending == 2

    await desk.answer(first, "first")
    assert [one.transcript.text for one in desk.told if isinstance(one, Final)] == ["first", "second"]


async def test_sound_without_words_is_a_phrase_without_words() -> None:
    desk = Desk()
    await desk.hear(SPOKEN)
    desk.jobs[-1][2].set_result(Transcript())
    await desk.rest()

    (final,) = desk.told
    assert isinstance(final, Final)
    assert not final.transcript


async def test_what_no_live_worker_had_time_for_is_heard_as_batch_work() -> None:
    desk = Desk()
    await desk.hear(SPOKEN)
    await desk.answer(-1, ModelOverloaded("busy"))
    await desk.answer(-1, "good morning")

    assert [urgency for _, urgency, _ in desk.jobs[-2:]] == [Urgency.TURN, Urgency.BATCH]
    assert [type(one) for one in desk.told] == [Final]


async def test_a_phrase_that_breaks_its_workers_is_told_as_lost_and_the_next_one_is_heard() -> None:
    desk = Desk()
    await desk.hear(SPOKEN)
    await desk.answer(-1, ModelBroken("two workers died of this job"))
    await desk.hear(SPOKEN)
    await desk.answer(-1, "hello")

    lost, final = (one for one in desk.told if not isinstance(one, Partial))
    assert lost == Lost("model.broken", Seconds(1.0), Seconds(2.0))
    assert isinstance(final, Final)


async def test_the_end_of_the_sound_ends_the_phrase_and_settling_waits_for_it() -> None:
    desk = Desk(Urgency.SECOND)
    await desk.hear(tone(Seconds(0.5)))
    desk.dictation.finish()
    settling = asyncio.create_task(desk.dictation.settled())
    await desk.rest()
    assert not settling.done()

    await desk.answer(-1, "yes")
    await settling
    assert [type(one) for one in desk.told] == [Final]
    assert desk.jobs[-1][1] is Urgency.SECOND


async def test_settling_can_be_cancelled_and_nothing_is_lost() -> None:
    desk = Desk()
    await desk.hear(SPOKEN)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await desk.dictation.settled()

    await desk.answer(-1, "yes")
    assert [type(one) for one in desk.told] == [Final]


async def test_closing_takes_every_job_back_and_tells_nothing_more() -> None:
    desk = Desk()
    await desk.hear(joined([tone(Seconds(0.5)), PAUSE, tone(Seconds(0.5)), PAUSE, tone(Seconds(2.0))]))
    desk.dictation.close()
    await desk.rest()
    await desk.dictation.settled()

    assert all(future.cancelled() for _, _, future in desk.jobs)
    assert desk.told == []


async def test_a_pause_of_the_recording_ends_the_phrase_and_moves_the_clock() -> None:
    desk = Desk()
    await desk.hear(tone(Seconds(0.5)))
    desk.dictation.skip(Seconds(60.0))
    await desk.rest()
    await desk.answer(-1, "before")
    await desk.hear(SPOKEN)
    await desk.answer(-1, "after")

    finals = [one for one in desk.told if isinstance(one, Final)]
    assert [one.start for one in finals] == pytest.approx([0.0, 61.0])


async def test_a_bug_in_a_recogniser_is_not_taken_for_silence() -> None:
    desk = Desk()
    await desk.hear(SPOKEN)
    desk.jobs[-1][2].set_exception(KeyError("bug"))

    with pytest.raises(KeyError):
        await desk.dictation.settled()


def test_a_word_moves_with_its_transcript() -> None:
    moved = Transcript((Word("yes", Seconds(0.1), Seconds(0.4), Confidence(0.5)),)).later(Seconds(2.0))

    assert moved.words == (Word("yes", Seconds(2.1), Seconds(2.4), Confidence(0.5)),)
