"""Whisper: the pure parts always, the network where its packages are installed."""

import math
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from engine.asr.backends._whisper.decoding import Piece, add_piece, padded
from engine.asr.backends._whisper.listening import Window, grouped, windows
from engine.asr.backends.whisper import WhisperRecogniser, load, merged
from engine.asr.features import RawScores
from engine.asr.normalise import word_errors
from engine.asr.protocol import Hints, Recogniser
from engine.audio.files import read
from engine.audio.resample import resample
from engine.core.audio import WIDEBAND, AudioFrame, joined, silence
from engine.core.errors import ConfigError, ModelNotFound
from engine.core.speech import ENGLISH, RUSSIAN, Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.model_files import State, rows
from engine.testing.contracts import RecogniserContract

SECOND = WIDEBAND.rate_hz
TESTDATA = Path(__file__).resolve().parents[3] / "shared" / "testdata"
whisper_here = pytest.mark.skipif(
    next(row.state for row in rows() if row.name == "whisper-base") is State.MISSING,
    reason="Whisper's packages are not installed",
)


def sound(path: str) -> AudioFrame:
    return resample(read(TESTDATA / path).channels[0], WIDEBAND)


class Even:
    """A calibrator to whom everything is even odds; it keeps what it was asked."""

    def __init__(self) -> None:
        self.turns: list[RawScores] = []

    def turn(self, scores: RawScores) -> Confidence:
        self.turns.append(scores)
        return Confidence(0.5)

    def word(self, logprob: float, scores: RawScores) -> Confidence:
        return Confidence(0.5)


@pytest.fixture(scope="module")
def calibrator() -> Even:
    return Even()


@pytest.fixture(scope="module")
def whisper(calibrator: Even) -> WhisperRecogniser:
    return load(context="short", calibrator=calibrator)


def test_a_window_is_filled_with_what_the_network_was_taught_that_silence_is() -> None:
    extract = FeatureExtractor()
    voice = np.random.default_rng(0).normal(0.0, 0.05, SECOND).astype(np.float32)
    with_silence = extract(np.pad(voice, (0, 2 * SECOND)))

    filled = padded(extract(voice)[:, :100], 300)

    assert filled.shape == (80, 300)
    assert filled.dtype == np.float32
    assert filled[:, 103:] == pytest.approx(with_silence[:, 103:300])


def test_neighbouring_stretches_are_put_together_up_to_the_longest() -> None:
    stretches = [Window(0, 10 * SECOND), Window(11 * SECOND, 20 * SECOND), Window(21 * SECOND, 35 * SECOND)]

    assert grouped(stretches, Seconds(28.0)) == [Window(0, 20 * SECOND), Window(21 * SECOND, 35 * SECOND)]


def test_a_long_silence_parts_two_windows() -> None:
    stretches = [Window(0, SECOND), Window(6 * SECOND, 7 * SECOND)]

    assert grouped(stretches, Seconds(28.0)) == stretches


def test_what_continues_a_word_is_put_to_it_and_punctuation_is_no_word() -> None:
    pieces: list[Piece] = []
    for text, logprob in ((" re", -0.1), ("-", -3.0), ("enter", -0.2), (" it", -0.3), (".", -2.0)):
        add_piece(pieces, Piece(text, Seconds(0.0), Seconds(0.1), logprob), spaced=True)

    assert [piece.text for piece in pieces] == ["re-enter", "it."]
    assert [piece.logprob for piece in pieces] == pytest.approx([-0.3, -0.3])


def test_without_spaces_every_character_is_a_word() -> None:
    pieces: list[Piece] = []
    for text in ("转", "账", "。"):
        add_piece(pieces, Piece(text, Seconds(0.0), Seconds(0.1), 0.0), spaced=False)

    assert [piece.text for piece in pieces] == ["转", "账。"]


def test_several_windows_are_right_only_together() -> None:
    parts = [
        Transcript((Word(text, Seconds(at), Seconds(at + 1)),), confidence=Confidence(0.8)) for at, text in enumerate(("a", "b"))
    ]

    assert merged(parts, ENGLISH).confidence == pytest.approx(0.64)
    assert merged(parts, ENGLISH).text == "a b"
    assert not merged([], RUSSIAN).words


def test_another_context_is_the_operators_error() -> None:
    with pytest.raises(ConfigError, match="full or short"):
        load(context="long")


def test_a_folder_without_a_model_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"model\.bin"):
        load(model=str(tmp_path))


@pytest.mark.parametrize("seconds", [0.5, 5.0])
def test_silence_and_white_noise_have_no_windows(seconds: float) -> None:
    noise = np.random.default_rng(0).normal(0.0, 0.05, int(seconds * SECOND)).astype(np.float32)

    assert windows(np.zeros_like(noise), Seconds(28.0)) == []
    assert windows(noise, Seconds(28.0)) == []


@pytest.mark.model
@whisper_here
def test_loading_and_hearing_touch_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert not load().recognise([silence(Seconds(1.0), WIDEBAND)], [Hints()])[0].words


@pytest.mark.model
@pytest.mark.testdata
@whisper_here
@pytest.mark.usefixtures("testdata")
class TestWhisper(RecogniserContract):
    @pytest.fixture(scope="class")
    @classmethod
    def recogniser(cls, whisper: WhisperRecogniser) -> Recogniser:
        return whisper

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> AudioFrame:
        return sound("prompts/en/please-try-call-later.wav")


@pytest.mark.model
@pytest.mark.testdata
@whisper_here
class TestOnRecordings:
    def test_noise_music_and_tones_have_no_words(self, whisper: WhisperRecogniser, manifest: Sequence[Mapping[str, Any]]) -> None:
        silent = [row["path"] for row in manifest if row["kind"] in {"noise", "tone", "hold_music", "dtmf"}]
        heard = {path: whisper.recognise([sound(path)], [Hints()])[0].text for path in silent}

        assert len(heard) > 10
        assert not any(heard.values()), heard

    def test_russian_is_heard_as_russian(self, whisper: WhisperRecogniser, testdata: Path) -> None:
        hints = Hints(language=RUSSIAN)
        heard = whisper.recognise([sound("prompts/ru/conf-nonextended.wav")], [hints])[0]

        assert word_errors("Конференция не может быть расширена", heard.text, RUSSIAN).edits <= 2
        assert heard.language == RUSSIAN

    def test_raw_scores_are_told_to_the_calibrator(self, whisper: WhisperRecogniser, calibrator: Even, testdata: Path) -> None:
        heard = whisper.recognise([sound("prompts/en/conf-full.wav")], [Hints()])[0]
        scores = calibrator.turns[-1]

        assert scores.words == len(heard.words) == len(scores.word_logprobs)
        assert scores.min_word_logprob == min(scores.word_logprobs)
        assert all(logprob <= 0 and math.isfinite(logprob) for logprob in scores.word_logprobs)
        assert set(scores.extra) == {"no_speech", "margin", "letters_a_second"}

    def test_times_count_from_the_first_sample_even_after_a_long_silence(
        self, whisper: WhisperRecogniser, testdata: Path
    ) -> None:
        spoken = sound("prompts/en/conf-full.wav")
        late = joined([silence(Seconds(4.0), WIDEBAND), spoken])
        heard = whisper.recognise([late], [Hints()])[0]

        assert heard.words[0].start > 3.7
        assert heard.words[-1].end <= late.duration

    def test_a_recording_longer_than_the_network_is_heard_whole(
        self, whisper: WhisperRecogniser, manifest: Sequence[Mapping[str, Any]]
    ) -> None:
        prompts = [row for row in manifest if row["kind"] == "ivr_prompt" and row["lang"] == "en"][:11]
        pause = silence(Seconds(1.0), WIDEBAND)
        long = joined([part for row in prompts for part in (sound(row["path"]), pause)])
        heard = whisper.recognise([long], [Hints()])[0]
        errors = word_errors(" ".join(row["text"] for row in prompts), heard.text, ENGLISH)

        assert long.duration > 30.0
        assert heard.words[-1].start > 30.0
        assert errors.edits < errors.tokens / 4
