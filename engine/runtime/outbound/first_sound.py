"""A campaign's first words as sound, for the ears of whoever starts it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from engine.audio.files import write_wav
from engine.audio.recording import Recording
from engine.config.sections import TtsSection
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.errors import ConfigError
from engine.core.units import Language, Seconds
from engine.runtime.jobs import Speak, Spoken
from engine.runtime.outbound.previewing import FirstWords
from engine.runtime.speaking import speaking

_PAUSE: Final = np.zeros(TELEPHONY.rate_hz * 3 // 4, np.int16)  # between two prompts, as in a talk


def hear(words: Sequence[FirstWords], tts: TtsSection, out: Path) -> Seconds:
    """Write them as WAV, one language after the other; gives how long they are.

    Raises:
        ConfigError: no voice speaks a language, or the file can't be written.
        ModelError: a voice is not there, or failed.
    """
    wanted = {it.language for it in words}
    voices = {Language(it): name for it, name in tts.voices.items() if it in wanted}
    if missing := wanted - voices.keys():
        raise ConfigError(f"[tts] voices: expected a voice for {', '.join(sorted(missing))}, found none")
    jobs = [Speak(spoken.prompt, it.language, spoken.text, spoken.values) for it in words for spoken, _ in it.spoken]
    said = speaking(voices, tts.cache, tts.recorded).answer(jobs)
    parts = [part for it in said if isinstance(it, Spoken) for part in (it.sound.samples, _PAUSE)]
    sound = AudioFrame(np.concatenate(parts or [_PAUSE]))
    try:
        write_wav(out, Recording((sound,), TELEPHONY, "WAV/PCM_16"))
    except OSError as error:
        raise ConfigError(f"{out}: expected a place that can be written, found: {error.strerror}") from error
    return sound.end_s
