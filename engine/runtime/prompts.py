"""Finds the sound of what is to be said.

Everything that can be known beforehand is rendered by the voice workers before the first call, into the prompt cache's folder;
here it is only looked up. What callers alone have (a balance, a date) the workers say when it is wanted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol, TypeAlias

from engine.core.audio import AudioFrame, joined
from engine.core.errors import ConfigError, ModelError
from engine.core.units import Language
from engine.dialogue.actions import Spoken
from engine.dialogue.graph import Flow, Prompt
from engine.runtime import jobs
from engine.runtime.jobs import Render, Rendered, Urgency
from engine.runtime.pool import Pool
from engine.tts.prompts import Progress, PromptCache
from engine.tts.protocol import VoiceCapabilities
from engine.tts.recorded import RecordedPrompts

_AT_ONCE = 8  # texts rendered by one job: often enough for a progress bar
_JOBS = 4  # waiting at a time: enough that no voice worker is idle, few enough that a call's own wish is not refused

Text: TypeAlias = tuple[str | None, Language, str]
"""A prompt's id, or ``None`` for what no recording stands for; the language; the text."""


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """A voice that lives in a worker: its card is here, because the cache's file names depend on it, its model is not."""

    name: str
    capabilities: VoiceCapabilities

    def say(self, text: str, language: Language) -> NoReturn:
        """Refuse: what was not rendered beforehand is the workers' to say."""
        raise ModelError(f"expected {language!r} prompt {text!r} in the cache's folder, found none")


class Sayings(Protocol):
    """Where a call finds the sound of what it says."""

    def ready(self, spoken: Sequence[Spoken], language: Language) -> AudioFrame | None:
        """The sound, if all of it was rendered."""

    async def make(self, spoken: Sequence[Spoken], language: Language) -> AudioFrame:
        """The sound, made where it was not rendered.

        Raises:
            ModelError: no voice could make it in time.
        """


class Prompts:
    """Everything the engine can say."""

    def __init__(self, voices: Pool, folder: Path, recorded: Path | None) -> None:
        self._voices = voices
        self._folder = folder
        self._recorded = RecordedPrompts(recorded) if recorded else None
        self._cache = PromptCache({}, folder)

    async def prepare(self, flow: Flow, progress: Progress | None = None) -> None:
        """Render what a flow can be known to say. Safe to cancel.

        Raises:
            ModelError: a voice failed.
        """
        texts = list(dict.fromkeys(texts_of(flow)))
        places = asyncio.Semaphore(_JOBS)
        cards: dict[Language, tuple[str, VoiceCapabilities]] = {}
        done = 0

        async def render(some: tuple[Text, ...]) -> None:
            nonlocal done
            async with places:
                made: Rendered = await self._voices.submit(Render(some), Urgency.BATCH)
            cards.update(made.voices)
            done += len(some)
            if progress is not None:
                progress(done, len(texts))

        try:
            async with asyncio.TaskGroup() as group:
                for start in range(0, len(texts), _AT_ONCE):
                    group.create_task(render(tuple(texts[start : start + _AT_ONCE])))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None  # one voice's complaint says as much as all of them
        voices = {language: _Elsewhere(*card) for language, card in cards.items()}
        self._cache = PromptCache(voices, self._folder, self._recorded)
        self._cache.render_all(texts)

    def ready(self, spoken: Sequence[Spoken], language: Language) -> AudioFrame | None:
        """The sound, if all of it was rendered."""
        sounds = [sound for one in spoken if (sound := self._found(one, language)) is not None]
        return joined(sounds) if sounds and len(sounds) == len(spoken) else None

    async def make(self, spoken: Sequence[Spoken], language: Language) -> AudioFrame:
        """The sound, made where it was not rendered. Safe to cancel.

        Raises:
            ModelError: no voice could make it in time.
        """
        return joined(await asyncio.gather(*(self._one(one, language) for one in spoken)))

    def _found(self, spoken: Spoken, language: Language) -> AudioFrame | None:
        try:
            return self._cache.get(spoken.prompt, language, spoken.text, spoken.values)
        except ConfigError:  # the bank's host gave a value that can't be said; the worker says so too, as a ModelError
            return None

    async def _one(self, spoken: Spoken, language: Language) -> AudioFrame:
        found = self._found(spoken, language)
        if found is not None:
            return found
        made: jobs.Spoken = await self._voices.submit(jobs.Speak(spoken.prompt, language, spoken.text, spoken.values))
        return made.sound


def texts_of(flow: Flow) -> Iterator[Text]:
    """Every text of a flow, its fixed wording and the names of its nodes."""
    for language in flow.languages:
        for prompt in _prompts(flow):
            yield prompt.id, language, prompt.texts[language]
        for node in flow.nodes.values():
            if language in node.title:
                yield None, language, node.title[language]


def _prompts(flow: Flow) -> Iterator[Prompt]:
    for node in flow.nodes.values():
        yield from node.prompts
        yield from getattr(node, "reprompts", ())
        for name in ("keys_prompt", "off_limits"):
            prompt = getattr(node, name, None)
            if prompt is not None:
                yield prompt
    fixed = flow.fixed
    yield from fixed.filler
    yield from (fixed.confirm, fixed.choose, fixed.no_input, fixed.no_match, fixed.use_keys, fixed.to_operator)
    yield from (fixed.help, fixed.read_back, fixed.not_allowed, fixed.host_failed, fixed.not_transferred)
