"""pyttsx3 over espeak-ng: every language, robotic, fast; in a child process, because pyttsx3 can hang for good.

The child (:mod:`engine.tts.backends.espeak_child`) takes one JSON line a text and answers with one. When it does not answer in
time it is killed, the text is given up with ``ModelBroken``, and the next text starts a new child.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from engine.core.audio import AudioFormat, AudioFrame
from engine.core.errors import ConfigError, ModelBroken
from engine.core.passing import PassingFolder
from engine.core.units import Language, Seconds
from engine.tts.protocol import VoiceCapabilities

# espeak-ng's plain "cmn" reads its own pinyin by English rules; the pinyin variant says Mandarin.
_NAMED_OTHERWISE = {Language("en"): "en-us", Language("zh"): "cmn-latn-pinyin"}
_NAMED_ALIKE = "ar az be bg cs da de el es et fa fi hi hu hy it ja ka kk ko ky lt lv nl pl pt ro ru sk sr sv tr tt uk uz vi"
VOICES: Mapping[Language, str] = {**{Language(tag): tag for tag in _NAMED_ALIKE.split()}, **_NAMED_OTHERWISE}
"""How espeak-ng calls each language's voice."""

_FORMAT = AudioFormat(22_050)  # what espeak-ng speaks at
_CHILD = (sys.executable, "-m", "engine.tts.backends.espeak_child")


def load(words_per_minute: int = 160, limit_s: float = 20.0) -> Espeak:
    """Make the voice ready; its child is started by the first text.

    Raises:
        ConfigError: espeak-ng speaks 80 to 450 words a minute.
    """
    if not 80 <= words_per_minute <= 450:
        raise ConfigError(f"expected 80 to 450 words a minute, found {words_per_minute}")
    return Espeak(words_per_minute, Seconds(limit_s))


class Espeak:
    """The voice with its child; may be shared by threads, which wait for each other. Close it to end the child."""

    name = "espeak"

    def __init__(self, words_per_minute: int, limit: Seconds, command: tuple[str, ...] = _CHILD) -> None:
        self._words_per_minute = words_per_minute
        self._limit = limit
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.capabilities = VoiceCapabilities(frozenset(VOICES), _FORMAT, revision=f"espeak-ng {words_per_minute}")

    def say(self, text: str, language: Language) -> Iterator[AudioFrame]:
        """Speak ``text`` in one frame."""
        if language not in VOICES:
            raise ConfigError(f"expected one of the languages {', '.join(sorted(VOICES))}, found {language!r}")
        with self._lock, PassingFolder("espeak") as folder:
            file = folder.path / "speech.wav"
            request = {"text": text, "voice": VOICES[language], "rate": self._words_per_minute, "path": str(file)}
            reply = self._ask(json.dumps(request).encode() + b"\n")
            if "error" in reply:
                raise ModelBroken(f"espeak-ng failed on a text of {len(text)} characters: {reply['error']}")
            return iter((_read(file),))

    def close(self) -> None:
        """End the child; the voice can be used again."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    def __del__(self) -> None:
        self.close()

    def _ask(self, request: bytes) -> Mapping[str, str]:
        """Exchange one line; whatever goes wrong ends the child, so that no late answer meets the next question."""
        try:
            return self._exchange(self._running(), request)
        except (OSError, ValueError) as error:
            self.close()
            raise ModelBroken(f"the espeak-ng child was ended in the middle of a text: {error}") from error

    def _exchange(self, child: subprocess.Popen[bytes], request: bytes) -> Mapping[str, str]:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(request)
        if not select.select([child.stdout], [], [], self._limit)[0]:
            raise TimeoutError(f"expected an answer within {self._limit:g} s, found none")
        reply: Mapping[str, str] = json.loads(child.stdout.readline())
        return reply

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            pipe = subprocess.PIPE
            self._child = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=0)  # noqa: S603 - our own
        return self._child


def _read(file: Path) -> AudioFrame:
    try:
        with wave.open(str(file)) as speech:
            rate_hz, samples = speech.getframerate(), np.frombuffer(speech.readframes(speech.getnframes()), "<i2")
    except (OSError, EOFError, wave.Error) as error:
        raise ModelBroken(f"espeak-ng wrote no readable file: {error}") from error
    if rate_hz != _FORMAT.rate_hz:
        raise ModelBroken(f"expected espeak-ng to speak at {_FORMAT.rate_hz} Hz, found {rate_hz} Hz")
    return AudioFrame(samples.astype(np.int16), _FORMAT)
