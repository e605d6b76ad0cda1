"""The shipped contract suite, run on the scripted double and on moonshine; whisper and vosk run it in their own files."""

from pathlib import Path

import numpy as np
import pytest

from engine.asr.protocol import Hints, Recogniser
from engine.asr.registry import load_recogniser
from engine.audio.files import read
from engine.audio.resample import resample
from engine.core.audio import WIDEBAND, AudioFrame
from engine.core.speech import RUSSIAN
from engine.core.units import Seconds
from engine.model_files import State, rows
from engine.testing.contracts import RecogniserContract
from engine.testing.recognisers import ScriptedRecogniser


def hum() -> AudioFrame:
    """Two seconds loud enough to be a voice."""
    time = np.arange(WIDEBAND.samples(Seconds(2.0))) / WIDEBAND.rate_hz
    return AudioFrame((3000 * np.sin(2 * np.pi * 200 * time)).astype(np.int16), WIDEBAND)


class TestScripted(RecogniserContract):
    @pytest.fixture(scope="class")
    @classmethod
    def recogniser(cls) -> Recogniser:
        return ScriptedRecogniser("what is my balance")

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> AudioFrame:
        return hum()


class TestScriptedWithoutConfidence(RecogniserContract):
    hints = Hints(language=RUSSIAN)

    @pytest.fixture(scope="class")
    @classmethod
    def recogniser(cls) -> Recogniser:
        return ScriptedRecogniser("какой у меня баланс", sureness=None, languages=(RUSSIAN,), partials=False)

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> AudioFrame:
        return hum()


@pytest.mark.model
@pytest.mark.testdata
@pytest.mark.skipif(
    next(row.state for row in rows() if row.name == "moonshine-tiny-en") is not State.READY,
    reason="moonshine-voice is not installed",
)
class TestMoonshine(RecogniserContract):
    @pytest.fixture(scope="class")
    @classmethod
    def recogniser(cls) -> Recogniser:
        return load_recogniser("moonshine")

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls, testdata: Path) -> AudioFrame:
        return resample(read(testdata / "prompts" / "en" / "please-try-call-later.wav").channels[0], WIDEBAND)
