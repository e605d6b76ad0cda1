"""What is said: looked up where it was rendered, made where it was not, the voice workers doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from engine.core.audio import TELEPHONY
from engine.core.errors import ModelBroken, ModelError
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.dialogue.actions import Spoken
from engine.ivr.files import load_flow
from engine.runtime.jobs import Render, Speak, Urgency
from engine.runtime.jobs import Spoken as SpokenSound
from engine.runtime.pool import Pool
from engine.runtime.prompts import Prompts, texts_of
from engine.runtime.speaking import Speaking
from engine.testing.parts import tone
from engine.tts.prompts import PromptCache
from engine.tts.protocol import VoiceCapabilities

FLOW = load_flow(Path(__file__).parents[1] / "journeys" / "small_bank.yaml")
WELCOME = Spoken("main.prompt", "Welcome. What can I do for you?")
BALANCE = Spoken("balance_told.prompt", "You have {balance:money}.", {"balance": "12.50 EUR"})
UNSAYABLE = Spoken("balance_told.prompt", "You have {balance:money}.", {"balance": "a lot"})


class Whistle:
    """A voice that whistles, and remembers what."""

    name = "whistle"
    capabilities = VoiceCapabilities(frozenset({ENGLISH}), TELEPHONY)

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str, language: str) -> Any:
        self.said.append(text)
        return iter([tone(Seconds(0.2))])


class Workers:
    """A pool that works at once, in this process."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._work = work
        self.jobs: list[tuple[Any, Urgency]] = []

    def submit(self, job: Any, urgency: Urgency = Urgency.TURN) -> asyncio.Future[Any]:
        self.jobs.append((job, urgency))
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            future.set_result(self._work(job))
        except ModelError as error:
            future.set_exception(error)
        return future


@pytest.fixture
def voice() -> Whistle:
    return Whistle()


@pytest.fixture
def workers(voice: Whistle, tmp_path: Path) -> Workers:
    speaking = Speaking({ENGLISH: voice}, PromptCache({ENGLISH: voice}, tmp_path))
    return Workers(lambda job: speaking.answer([job])[0])


@pytest.fixture
async def prompts(workers: Workers, tmp_path: Path) -> Prompts:
    made = Prompts(cast("Pool", workers), tmp_path, None)
    await made.prepare(FLOW)
    return made


def test_the_texts_of_a_flow_are_its_prompts_its_fixed_wording_and_the_names_of_its_nodes() -> None:
    texts = set(texts_of(FLOW))

    assert (WELCOME.prompt, "en", WELCOME.text) in texts
    assert (None, "en", "block a lost card") in texts
    assert ("balance_told.prompt", "en", "You have {balance:money}.") in texts
    assert {text for _, _, text in texts} >= {FLOW.fixed.no_match.texts[ENGLISH], FLOW.fixed.to_operator.texts[ENGLISH]}


async def test_what_was_rendered_is_ready_and_nobody_is_asked(prompts: Prompts, workers: Workers) -> None:
    before = len(workers.jobs)

    assert prompts.ready([WELCOME], ENGLISH) is not None
    assert len(workers.jobs) == before


async def test_rendering_waits_for_calls(prompts: Prompts, workers: Workers) -> None:
    assert {urgency for job, urgency in workers.jobs if isinstance(job, Render)} == {Urgency.BATCH}


async def test_a_value_is_said_when_it_is_wanted_and_its_sentence_comes_from_the_cache(
    prompts: Prompts, workers: Workers, voice: Whistle
) -> None:
    said_before = list(voice.said)
    assert prompts.ready([WELCOME, BALANCE], ENGLISH) is None

    sound = await prompts.make([WELCOME, BALANCE], ENGLISH)
    assert sound.duration > 0.5
    assert isinstance(workers.jobs[-1][0], Speak)
    assert [text for text in voice.said if text not in said_before] == ["twelve euros and fifty cents."]


async def test_a_value_that_can_not_be_worded_is_no_reason_to_stop(workers: Workers, tmp_path: Path, prompts: Prompts) -> None:
    assert prompts.ready([UNSAYABLE], ENGLISH) is None


async def test_a_voice_that_fails_at_the_start_is_told_as_the_models_error(tmp_path: Path) -> None:
    def fail(job: Any) -> Any:
        raise ModelBroken("the voice is hoarse")

    with pytest.raises(ModelBroken, match="hoarse"):
        await Prompts(cast("Pool", Workers(fail)), tmp_path, None).prepare(FLOW)


async def test_a_voice_that_fails_in_a_call_is_told_as_the_models_error(prompts: Prompts, workers: Workers) -> None:
    def fail(job: Any) -> SpokenSound:
        raise ModelBroken("the voice is hoarse")

    workers._work = fail
    with pytest.raises(ModelError):
        await prompts.make([BALANCE], ENGLISH)


async def test_progress_is_told_to_the_end(workers: Workers, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    await Prompts(cast("Pool", workers), tmp_path, None).prepare(FLOW, lambda done, of: told.append((done, of)))

    assert told[-1] == (len(set(texts_of(FLOW))), len(set(texts_of(FLOW))))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
