"""An engine's model workers: a pool for each recogniser and one for the voices, and which of them does what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from engine.asr.calibration import shipped_agreement
from engine.config import Config
from engine.config.sections import AsrSection
from engine.core.errors import ConfigError
from engine.core.speech import Transcript
from engine.core.units import Language, Seconds
from engine.dialogue.graph import Flow
from engine.runtime.jobs import Interpret, Recognise, Transcribe, Urgency
from engine.runtime.models import Lesson, understanding
from engine.runtime.pool import Pool, PoolPolicy
from engine.runtime.second import SecondOpinion
from engine.runtime.speaking import speaking

_SLOW = PoolPolicy(workers=1, batch=1, within=Seconds(4.0), hang=Seconds(6.0))  # large recognisers
_VOICES = PoolPolicy(workers=2, batch=1, within=Seconds(4.0), hang=Seconds(6.0))
_LIVE: Mapping[str, Mapping[str, object]] = {"whisper": {"context": "short"}}  # settings for live turns, by back end
_NONE = PoolPolicy(workers=0)


class Workers:
    """Start them before anything is asked of them; close them, or they stay."""

    def __init__(self, config: Config, flows: Sequence[Flow], languages: Sequence[Language]) -> None:
        """Without a flow nobody speaks, and nobody is asked for a second opinion.

        Raises:
            ConfigError: a language is spoken that no recogniser or no voice is configured for.
        """
        self._asr = config.asr
        self._recognisers = _recognisers(config.asr, flows, languages)
        voices = {language: chosen(language, config.tts.voices, "tts.voices") for language in languages} if flows else {}
        said = partial(speaking, voices, config.tts.cache, config.tts.recorded)
        self.voices = Pool("voices", said, _VOICES if flows else _NONE)
        self._seconds = {flow.revision: second for flow in flows if (second := self._second_opinion(flow))}

    async def start(self, worked: Callable[[str, float], None]) -> None:
        """Load everything; ``worked`` is told of each batch, by whom and how many seconds it took. Not safe to cancel.

        Raises:
            ModelError: a model can't be loaded.
        """
        for name, pool in self._pools.items():
            pool.on_batch = partial(_told, worked, name)
        await asyncio.gather(*(pool.start() for pool in self._pools.values()))

    async def close(self) -> None:
        """Stop them. Not safe to cancel."""
        for pool in self._pools.values():
            await pool.close()

    @property
    def warm(self) -> dict[str, bool]:
        """Which pools that have work to do could do it now."""
        return {name: pool.warm > 0 for name, pool in self._pools.items() if pool.wanted}

    def transcribe(self, job: Transcribe, urgency: Urgency) -> asyncio.Future[Transcript]:
        """Words alone."""
        return self._for(job.hints.language).submit(job, urgency)

    def recognise(self, job: Recognise, urgency: Urgency) -> asyncio.Future[Any]:
        """Words and their meaning."""
        if not self._asr.lean_towards_phrases:
            job = replace(job, hints=replace(job.hints, phrases=()))
        return self._for(job.hints.language).submit(job, urgency)

    def interpret(self, job: Interpret, urgency: Urgency) -> asyncio.Future[Any]:
        """The meaning of words."""
        return self._for(job.question.language).submit(job, urgency)

    def second(self, flow: Flow) -> SecondOpinion | None:
        """Who is asked about unsure turns of a flow."""
        return self._seconds.get(flow.revision)

    @property
    def _pools(self) -> dict[str, Pool]:
        return {**self._recognisers, "voices": self.voices}

    def _for(self, language: Language) -> Pool:
        return self._recognisers[self._asr.recognisers[language]]

    def _second_opinion(self, flow: Flow) -> SecondOpinion | None:
        second, first = self._asr.second, self._asr.recognisers[flow.languages[0]]
        if second is None or second == first:
            return None
        live, other = self._recognisers[first], self._recognisers[second]
        languages = frozenset(Language(one) for one, name in self._asr.recognisers.items() if name != second)
        return SecondOpinion(live, other, languages, flow.thresholds, agreement=shipped_agreement())


def _recognisers(asr: AsrSection, flows: Sequence[Flow], languages: Iterable[Language]) -> dict[str, Pool]:
    taught = tuple(Lesson.of(flow).taught() for flow in flows)
    wanted = [chosen(language, asr.recognisers, "asr.recognisers") for language in languages]
    also = [asr.second] if asr.second and flows else []  # who only listens asks for no second opinion
    found = {}
    for name in dict.fromkeys([*wanted, *also]):
        policy = PoolPolicy(workers=asr.workers, batch=asr.batch) if name == wanted[0] else _SLOW
        registered, settings = asr.loaded(name)
        load = partial(understanding, registered, {**_LIVE.get(registered, {}), **settings}, taught)
        found[name] = Pool(name, load, policy)
    return found


def chosen(language: Language, names: Mapping[str, str], setting: str) -> str:
    """Who is configured for a language.

    Raises:
        ConfigError: nobody is.
    """
    if language not in names:
        raise ConfigError(f"{setting}: expected one for {language!r}, which the flow speaks, found {', '.join(names)}")
    return names[language]


def _told(worked: Callable[[str, float], None], pool: str, _: int, seconds: float) -> None:
    worked(pool, seconds)
