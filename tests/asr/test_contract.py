"""The shipped contract suite, run on the scripted double; each back end runs it in its own file."""

import numpy as np
import pytest

from engine.asr.protocol import Hints, Recogniser
from engine.core.audio import WIDEBAND, AudioFrame
from engine.core.speech import RUSSIAN
from engine.core.units import Seconds
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
