"""Everything the engine can know beforehand that it will say, rendered before the first call.

Rules. :meth:`PromptCache.get` never synthesises, so the media loop may ask it. What is rendered beforehand is kept in memory, and
on disk under a name made of voice, language, words and rate: a restart costs nothing, and a new voice is never mixed with an old.
Values (balances, names, dates) are personal and kept nowhere; nor is a text that may have them in it already, which has no id.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import wave
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from engine.core.audio import TELEPHONY, AudioFrame, joined, silence
from engine.core.errors import ConfigError, ModelBroken
from engine.core.units import Language, Seconds
from engine.tts.level import prepared
from engine.tts.protocol import Voice
from engine.tts.recorded import RecordedPrompts
from engine.tts.wording import Fragment, fill, fixed_parts, fragments, readable

_NOTHING: Mapping[str, str] = {}
_HEADER_BYTES = 44  # RIFF, fmt and data chunk headers, as the wave module writes them
_MARKS = " ,.;:?!，。？！"

Progress = Callable[[int, int], None]
"""Told how many texts are done, and of how many."""


class PromptCache:
    """Prompts by id, language and text, at 8 kHz, levelled and trimmed; recorded ones first.

    ``id`` is the prompt's; ``None`` for a text that no recording can stand for, such as one with values already in it.
    """

    def __init__(self, voices: Mapping[Language, Voice], folder: Path, recorded: RecordedPrompts | None = None) -> None:
        self._voices = voices
        self._folder = folder
        self._recorded = recorded
        self._ready: dict[tuple[str | None, Language, str], AudioFrame] = {}

    def render_all(self, prompts: Iterable[tuple[str | None, Language, str]], progress: Progress | None = None) -> None:
        """Render every text, of texts with values their fixed parts; minutes the first time, then milliseconds.

        Raises:
            ConfigError: no voice speaks a text's language, a recording can't be used, or the folder can't be written.
            ModelBroken: the voice failed.
        """
        texts = list(dict.fromkeys(_fixed(prompts)))
        for done, (id, language, text) in enumerate(texts, start=1):
            self._render(id, language, text)
            if progress is not None:
                progress(done, len(texts))

    def get(self, id: str | None, language: Language, text: str, values: Mapping[str, str] = _NOTHING) -> AudioFrame | None:
        """Look a prompt up, whole or put together from its parts; ``None`` unless every part was rendered.

        Raises:
            ConfigError: a value is missing or can't be worded.
        """
        whole = self._find(None if "{" in text else id, language, fill(text, values, language))
        if whole is not None or "{" not in text:
            return whole
        parts = [self._find_part(id, language, part) for part in _spoken(text, values, language)]
        found = [part for part in parts if part is not None]
        return _together(found) if len(found) == len(parts) else None

    def say(self, id: str | None, language: Language, text: str, values: Mapping[str, str] = _NOTHING) -> AudioFrame:
        """Give a prompt, rendering its fixed parts if need be and synthesising its values; slow, so never on the media loop.

        Raises:
            ConfigError: a value is missing or can't be worded; else as :meth:`render_all`.
            ModelBroken: the voice failed.
        """
        if id is not None:
            self.render_all([(id, language, text)])
        found = self.get(id, language, text, values)
        if found is not None:
            return found
        return _together([self._say_part(id, language, part) for part in _spoken(text, values, language)])

    def _say_part(self, id: str | None, language: Language, part: Fragment) -> AudioFrame:
        return self._find_part(id, language, part) or self._synthesised(language, part.text)

    def _find_part(self, id: str | None, language: Language, part: Fragment) -> AudioFrame | None:
        if part.place is not None:
            return self._find(_part_id(id, part.place), language, part.text)
        return self._find(None, language, part.text) or self._find(None, language, part.text.strip(_MARKS))

    def _find(self, id: str | None, language: Language, text: str) -> AudioFrame | None:
        return self._ready.get((id, language, text)) or self._ready.get((None, language, text))

    def _render(self, id: str | None, language: Language, text: str) -> None:
        recording = None if id is None or self._recorded is None else self._recorded.find(id, language)
        if recording is not None:
            self._ready[id, language, text] = recording
        elif (None, language, text) not in self._ready:
            self._ready[None, language, text] = self._stored_or_made(language, text)

    def _stored_or_made(self, language: Language, text: str) -> AudioFrame:
        if not _speakable(text):
            return silence(Seconds(0.0))
        path = self._folder / f"{self._key(language, text)}.wav"
        stored = _read(path)
        if stored is not None:
            return stored
        made = self._synthesised(language, text)
        _write(path, made)
        return made

    def _synthesised(self, language: Language, text: str) -> AudioFrame:
        frames = list(self._voice(language).say(readable(text, language).lstrip(_MARKS), language))
        if not frames:
            raise ModelBroken(f"expected sound from the voice {self._voice(language).name!r}, found none")
        return prepared(joined(frames))

    def _key(self, language: Language, text: str) -> str:
        voice = self._voice(language)
        identity = [voice.name, voice.capabilities.revision, language, readable(text, language), TELEPHONY.rate_hz]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()

    def _voice(self, language: Language) -> Voice:
        if language not in self._voices:
            raise ConfigError(f"expected a voice for each language of the flow, found none for {language!r}")
        return self._voices[language]


def _fixed(prompts: Iterable[tuple[str | None, Language, str]]) -> Iterator[tuple[str | None, Language, str]]:
    for id, language, text in prompts:
        if "{" not in text:
            yield id, language, text
            continue
        for place, part in enumerate(fixed_parts(text), start=1):
            yield _part_id(id, place), language, part


def _spoken(text: str, values: Mapping[str, str], language: Language) -> list[Fragment]:
    """Leave out parts without a letter: an empty value, a lone full stop."""
    return [part for part in fragments(text, values, language) if _speakable(part.text)]


def _speakable(text: str) -> bool:
    return any(sign.isalnum() for sign in text)


def _together(parts: list[AudioFrame]) -> AudioFrame:
    return joined(parts) if parts else silence(Seconds(0.0))


def _part_id(id: str | None, place: int) -> str | None:
    return None if id is None else f"{id}.{place}"


def _read(path: Path) -> AudioFrame | None:
    """Read a file of ours; ``None`` if it is not there, cut short or not ours, and must be made again."""
    try:
        with wave.open(str(path)) as file:
            count = file.getnframes()
            ours = (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, TELEPHONY.rate_hz)
            samples = np.frombuffer(file.readframes(count), "<i2").astype(np.int16)
    except (OSError, EOFError, ValueError, wave.Error):
        return None
    whole = count > 0 and len(samples) == count and path.stat().st_size == _HEADER_BYTES + 2 * count
    return AudioFrame(samples) if ours and whole else None


def _write(path: Path, sound: AudioFrame) -> None:
    """Write under another name first, so that a crash or a second process never leaves half a file under this one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".draft-") as folder:
            draft = Path(folder, path.name)
            with wave.open(str(draft), "wb") as file:
                file.setparams((1, 2, TELEPHONY.rate_hz, 0, "NONE", ""))
                file.writeframes(sound.samples.astype("<i2").tobytes())
            draft.replace(path)
    except OSError as error:
        raise ConfigError(f"expected to write the prompt cache {path.parent}, found: {error}") from error
