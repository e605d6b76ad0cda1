"""Finds the sound of what is to be said.

What is the same for every caller was made before the first call and lies in memory. The rest is made by the voice workers,
who keep its fixed parts in their own cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence

from engine.core.audio import AudioFrame, joined
from engine.core.units import Language
from engine.dialogue.actions import Spoken
from engine.dialogue.graph import Flow, Prompt
from engine.runtime import jobs
from engine.runtime.jobs import Urgency
from engine.runtime.pool import Pool

Progress = Callable[[int, int], None]
"""Called with how many are done, and of how many."""


class Prompts:
    """Everything the engine can say."""

    def __init__(self, voices: Pool) -> None:
        self._voices = voices
        self._ready: dict[tuple[str, Language], AudioFrame] = {}  # by text, so that a prompt's id may be used twice

    async def prepare(self, flow: Flow, progress: Progress | None = None) -> None:
        """Make every fixed prompt of a flow. Safe to cancel.

        Raises:
            ModelError: a voice failed.
        """
        wanted = [(prompt, language) for prompt in all_prompts(flow) if prompt.fixed for language in flow.languages]
        for done, (prompt, language) in enumerate(wanted, 1):
            text = prompt.texts[language]
            if (text, language) not in self._ready:
                self._ready[text, language] = await self._made(Spoken(prompt.id, text), language, Urgency.BATCH)
            if progress is not None:
                progress(done, len(wanted))

    def ready(self, spoken: Sequence[Spoken], language: Language) -> AudioFrame | None:
        """The sound, if all of it lies ready."""
        sounds = [sound for one in spoken if (sound := self._found(one, language)) is not None]
        return joined(sounds) if sounds and len(sounds) == len(spoken) else None

    async def make(self, spoken: Sequence[Spoken], language: Language) -> AudioFrame:
        """The sound, made where it does not lie ready. Safe to cancel.

        Raises:
            ModelError: no voice could make it in time.
        """
        return joined(await asyncio.gather(*(self._one(one, language) for one in spoken)))

    def _found(self, spoken: Spoken, language: Language) -> AudioFrame | None:
        return self._ready.get((spoken.text, language))

    async def _one(self, spoken: Spoken, language: Language) -> AudioFrame:
        return self._found(spoken, language) or await self._made(spoken, language, Urgency.TURN)

    async def _made(self, spoken: Spoken, language: Language, urgency: Urgency) -> AudioFrame:
        made: jobs.Spoken = await self._voices.submit(jobs.Speak(spoken.prompt, language, spoken.text, spoken.values), urgency)
        return made.sound


def all_prompts(flow: Flow) -> Iterator[Prompt]:
    """Every prompt a flow can say, its fixed wording included."""
    for node in flow.nodes.values():
        yield from node.prompts
        yield from getattr(node, "reprompts", ())
        yield from _given(getattr(node, "keys_prompt", None))
    fixed = flow.fixed
    yield from fixed.filler
    yield from (fixed.confirm, fixed.choose, fixed.no_input, fixed.no_match, fixed.use_keys, fixed.to_operator)
    yield from (fixed.help, fixed.read_back, fixed.not_allowed, fixed.host_failed)


def _given(prompt: Prompt | None) -> Iterable[Prompt]:
    return () if prompt is None else (prompt,)
