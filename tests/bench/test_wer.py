import json
from pathlib import Path

import numpy as np
import pytest

from bench import wer
from bench.recordings import labelled, noisy, telephone
from engine.audio.files import Recording, write_wav
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFrame
from engine.core.errors import ConfigError
from engine.core.units import Seconds
from engine.testing.recognisers import ScriptedRecogniser


def tone(hz: float, level: float = 8000.0, length: float = 1.0) -> AudioFrame:
    time = np.arange(WIDEBAND.samples(Seconds(length))) / WIDEBAND.rate_hz
    return AudioFrame((level * np.sin(2 * np.pi * hz * time)).astype(np.int16), WIDEBAND)


def power(sound: AudioFrame) -> float:
    return float(np.mean(sound.samples.astype(np.float64) ** 2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two labelled recordings, one of them synthetic, and a noise."""
    rows = [
        {"path": "a.wav", "kind": "ivr_prompt", "text": "What is my balance?", "lang": "en", "synthetic": False},
        {"path": "b.wav", "kind": "ivr_prompt", "text": "what was my balance", "lang": "en", "synthetic": True},
        {"path": "n.wav", "kind": "noise", "text": None, "lang": None, "synthetic": False},
    ]
    for row in rows:
        sound = tone(440.0, 50.0 if row["kind"] == "noise" else 8000.0)
        write_wav(tmp_path / str(row["path"]), Recording((sound,), sound.format, "WAV/PCM_16"))
    (tmp_path / "manifest.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return tmp_path


def test_synthetic_speech_and_silence_have_rows_of_their_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wer, "load_recogniser", lambda name: ScriptedRecogniser("what is my balance"))
    found = {(row["kind"], row["synthetic"]): row for row in wer.run(folder, recogniser="scripted")}

    assert found["ivr_prompt", False]["wer"] == 0.0
    assert found["ivr_prompt", True]["wer"] == 0.25
    assert found["noise", False]["invented"] == 0


def test_both_asks_the_second_only_when_the_first_is_unsure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doubles = {
        "moonshine": ScriptedRecogniser("what is my ballast", sureness=0.3),
        "whisper": ScriptedRecogniser("what is my balance"),
    }
    monkeypatch.setattr(wer, "load_recogniser", lambda name: doubles[name])
    found = {(row["kind"], row["synthetic"]): row for row in wer.run(folder, recogniser="both")}

    assert found["ivr_prompt", False]["wer"] == 0.0
    assert len(doubles["whisper"].asked) == 3


def test_another_language_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wer, "load_recogniser", lambda name: ScriptedRecogniser())

    assert [row["kind"] for row in wer.run(folder, language="ru")] == ["noise"]


def test_a_folder_without_a_manifest_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"manifest\.jsonl"):
        labelled(tmp_path)


@pytest.mark.parametrize("line", ["{", "[]", '{"kind": "speech"}', '"text"'])
def test_a_broken_line_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "manifest.jsonl").write_text(f"\n{line}\n")

    with pytest.raises(ConfigError, match="line 2"):
        labelled(tmp_path)


def test_noise_lies_as_far_below_the_speech_as_was_asked() -> None:
    speech, noise = tone(440.0), AudioFrame(np.random.default_rng(0).normal(0, 900, 48_000).astype(np.int16), WIDEBAND)
    mixed = noisy(speech, noise, 10.0, "seed")
    added = AudioFrame((mixed.samples.astype(int) - speech.samples).astype(np.int16), WIDEBAND)

    assert 10 * np.log10(power(speech) / power(added)) == pytest.approx(10.0, abs=0.2)
    assert np.array_equal(mixed.samples, noisy(speech, noise, 10.0, "seed").samples)


def test_a_telephone_keeps_speech_and_takes_hum_and_hiss_away() -> None:
    assert power(telephone(tone(1000.0))) > 0.8 * power(tone(1000.0))
    assert power(telephone(tone(60.0))) < 0.01 * power(tone(60.0))
    assert power(telephone(tone(6000.0))) < 0.01 * power(tone(6000.0))
    assert TELEPHONY.rate_hz == 8_000
