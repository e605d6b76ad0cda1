"""``transcribe`` and ``ask``, with real models on real and on odd files."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from engine.core.audio import AudioFrame
from tests.cli.conftest import Run
from tests.journeys.bank import SMALL_BANK, Voices

pytestmark = pytest.mark.model

READABLE = {"alaw_8000", "float32_16000", "gsm610", "mp3_44100_stereo", "pcm24_48000", "silence_10s", "very_short_20ms"}
UNREADABLE = {"text_renamed", "zero_bytes"}


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic: Piper asks when the bank is open."""
    return _stored(Voices()("When are you open?"), tmp_path_factory.mktemp("said") / "open.wav")


def _stored(sound: AudioFrame, path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, sound.format.rate_hz, 0, "NONE", ""))
        file.writeframes(sound.samples.tobytes())
    return path


def test_a_recording_becomes_words_with_times_and_confidence(run: Run, question: Path) -> None:
    ran = run("transcribe", question, "--recogniser", "moonshine", "--json")
    said = ran.objects[0]

    assert ran.code == 0
    assert set(said) == {"path", "language", "text", "turns"}
    assert (said["path"], said["language"]) == (str(question), "en")
    assert "open" in said["text"].lower()
    (turn,) = said["turns"]
    assert turn["speaker"] == "unknown"  # of one channel nobody knows
    assert 0.0 <= turn["start"] < turn["end"] < 2.0
    assert 0.0 <= turn["confidence"] <= 1.0
    for word in turn["words"]:
        assert set(word) == {"text", "start", "end", "confidence"}
        assert turn["start"] - 0.5 <= word["start"] <= word["end"] <= turn["end"] + 0.5


def test_what_the_ivr_would_do_with_it(run: Run, question: Path) -> None:
    ran = run("ask", question, "--flow", SMALL_BANK, "--json")
    answer = ran.objects[0]

    assert ran.code == 0
    assert set(answer) == {"path", "transcript", "confidence", "intent", "node", "decision", "alternatives"}
    assert (answer["decision"], answer["intent"], answer["node"]) == ("jump", "opening_hours", "opening_hours")
    assert answer["alternatives"][0]["intent"] == "opening_hours"
    assert all(set(other) == {"intent", "node", "confidence"} for other in answer["alternatives"])


@pytest.mark.testdata
def test_every_odd_file_is_read_or_named_and_the_others_go_on(run: Run, testdata: Path, question: Path) -> None:
    odd = sorted((testdata / "odd").iterdir())
    ran = run("transcribe", *odd, question, "--recogniser", "moonshine", "--json")
    read = {item["path"]: item for item in ran.objects}

    assert ran.code == 65
    assert str(question) in read
    assert {path.stem for path in odd if str(path) in read} >= READABLE
    for path in odd:
        assert (str(path) in read) != (f"{path}: " in ran.err), path
    assert {path.stem for path in odd if str(path) not in read} >= UNREADABLE
    assert "Traceback" not in ran.err
    assert read[str(testdata / "odd" / "silence_10s.wav")]["text"] == ""


def test_a_recogniser_nobody_has_is_a_matter_of_configuration(run: Run, question: Path) -> None:
    ran = run("transcribe", question, "--recogniser", "nobody")

    assert ran.code == 78
    assert "moonshine" in ran.err
