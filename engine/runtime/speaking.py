"""The model that speaks, as a worker holds it; apart from the one that hears, whose imports take a second and more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.core.units import Language
from engine.runtime.jobs import Render, Rendered, Speak, Spoken
from engine.tts.prompts import PromptCache
from engine.tts.protocol import Voice
from engine.tts.recorded import RecordedPrompts
from engine.tts.registry import load_voice


class Speaking:
    """Says prompts, from the bank's own recordings where there are some."""

    def __init__(self, voices: Mapping[Language, Voice], cache: PromptCache) -> None:
        self._cards = {language: (voice.name, voice.capabilities) for language, voice in voices.items()}
        self._cache = cache

    def warm_up(self) -> None:
        """The prompts of the flow are its warm-up."""

    def answer(self, jobs: Sequence[Speak | Render]) -> list[Spoken | Rendered]:
        """Do each."""
        return [self._render(job) if isinstance(job, Render) else self._say(job) for job in jobs]

    def _render(self, job: Render) -> Rendered:
        self._cache.render_all(job.texts)
        return Rendered(self._cards)

    def _say(self, job: Speak) -> Spoken:
        sound = self._cache.say(job.prompt, job.language, job.text, job.values)
        return Spoken(sound.samples.astype("<i2", copy=False).tobytes())


def speaking(voices: Mapping[Language, str], cache: Path, recorded: Path | None) -> Speaking:
    """Load the voices; runs inside the worker.

    Raises:
        ConfigError: no such voice.
        ModelNotFound: its files are not there.
    """
    loaded = {name: load_voice(name) for name in set(voices.values())}
    by_language = {language: loaded[name] for language, name in voices.items()}
    return Speaking(by_language, PromptCache(by_language, cache, RecordedPrompts(recorded) if recorded else None))
