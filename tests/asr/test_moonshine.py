"""The moonshine back end on real sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest

from engine import model_files
from engine.asr.backends.moonshine import Calibrators, MoonshineRecogniser, load
from engine.asr.features import RawScores
from engine.asr.normalise import normalise
from engine.asr.protocol import Grammar, Hints
from engine.audio.files import read
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFrame, frames_of, joined, silence
from engine.core.errors import ConfigError, MediaError, ModelNotFound, ProtocolError
from engine.core.speech import ENGLISH, RUSSIAN
from engine.core.units import Confidence, Seconds

pytestmark = [pytest.mark.model, pytest.mark.testdata]

DIGITS = Hints(grammar=Grammar.DIGITS)


class SureCalibrator:
    """Believes in everything, and keeps the scores it was shown."""

    def __init__(self) -> None:
        self.seen: list[RawScores] = []

    def turn(self, scores: RawScores) -> Confidence:
        self.seen.append(scores)
        return Confidence(0.9)

    def word(self, logprob: float, scores: RawScores) -> Confidence:
        return Confidence(0.8)


@pytest.fixture(scope="session")
def moonshine() -> MoonshineRecogniser:
    return load(calibrators=Calibrators())


def sound_of(path: Path) -> AudioFrame:
    recording = read(path)
    return resample(AudioFrame(recording.channels[0].samples, recording.format), WIDEBAND)


def sounds(testdata: Path, manifest: Sequence[Mapping[str, Any]], *kinds: str) -> list[tuple[Mapping[str, Any], AudioFrame]]:
    rows = [row for row in manifest if row["kind"] in kinds and row["lang"] in {"en", None}]
    return [(row, sound_of(testdata / row["path"])) for row in rows]


@pytest.fixture(scope="session")
def prompts(testdata: Path, manifest: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], AudioFrame]]:
    return sounds(testdata, manifest, "ivr_prompt")


@pytest.fixture(scope="session")
def six(testdata: Path) -> AudioFrame:
    return sound_of(testdata / "prompts/en/vm-next.wav")  # "Press six to play the next message."


def word_error_rate(truths: list[str], heard: list[str]) -> float:
    pairs = [
        (" ".join(normalise(truth, ENGLISH)), " ".join(normalise(text, ENGLISH)))
        for truth, text in zip(truths, heard, strict=True)
    ]
    return float(jiwer.wer([truth for truth, _ in pairs], [text for _, text in pairs]))


def test_english_prompts_are_heard_with_few_errors(moonshine: MoonshineRecogniser, prompts: list[Any]) -> None:
    heard = moonshine.recognise([sound for _, sound in prompts], [Hints()] * len(prompts))

    assert word_error_rate([row["text"] for row, _ in prompts], [transcript.text for transcript in heard]) <= 0.09


def test_silence_noise_music_and_tones_give_no_words(
    moonshine: MoonshineRecogniser, testdata: Path, manifest: Sequence[Mapping[str, Any]]
) -> None:
    quiet = sounds(testdata, manifest, "noise", "tone", "dtmf", "hold_music")
    quiet.append(({"path": "odd/silence_10s.wav"}, sound_of(testdata / "odd/silence_10s.wav")))
    heard = moonshine.recognise([sound for _, sound in quiet], [Hints()] * len(quiet))

    assert {row["path"]: words.text for (row, _), words in zip(quiet, heard, strict=True) if words} == {}


def test_silence_gives_no_words_inside_any_grammar(moonshine: MoonshineRecogniser) -> None:
    noise = np.random.default_rng(0).normal(0, 300, 32_000).astype(np.int16)
    quiet = [silence(Seconds(2.0), WIDEBAND), AudioFrame(noise, WIDEBAND)]

    for grammar in Grammar:
        assert not any(moonshine.recognise(quiet, [Hints(grammar=grammar, phrases=("block my card",))] * 2))


def test_words_come_in_order_inside_the_sound(moonshine: MoonshineRecogniser, six: AudioFrame) -> None:
    (heard,) = moonshine.recognise([six], [Hints()])

    assert [word.text.lower().strip(".,") for word in heard.words][:3] == ["press", "six", "to"]
    assert all(0.0 <= word.start <= word.end <= six.duration for word in heard.words)
    assert all(before.start <= after.start for before, after in zip(heard.words, heard.words[1:], strict=False))


def test_a_long_sound_is_heard_whole_and_its_times_go_on(moonshine: MoonshineRecogniser, six: AudioFrame) -> None:
    pause = silence(Seconds(1.0), WIDEBAND)
    whole = joined([part for _ in range(6) for part in (AudioFrame(six.samples, WIDEBAND), pause)])
    (heard,) = moonshine.recognise([whole], [Hints()])

    assert heard.text.lower().count("next message") == 6
    assert heard.words[-1].end > whole.duration - 2.5


def test_spoken_digits_come_as_one_word_each(moonshine: MoonshineRecogniser, testdata: Path) -> None:
    (heard,) = moonshine.recognise([sound_of(testdata / "digit_strings/jackson_00_5260.wav")], [DIGITS])

    assert heard.text == "five two six zero"
    assert not heard.rejected


def test_other_speech_is_rejected_where_digits_are_asked(moonshine: MoonshineRecogniser, prompts: list[Any]) -> None:
    heard = moonshine.recognise([sound for _, sound in prompts], [DIGITS] * len(prompts))

    assert sum(transcript.rejected or not transcript for transcript in heard) >= 0.95 * len(heard)


def test_the_hints_of_one_call_do_not_touch_another_of_the_same_batch(
    moonshine: MoonshineRecogniser, six: AudioFrame, testdata: Path
) -> None:
    number = sound_of(testdata / "digit_strings/jackson_08_5957.wav")
    free, digits = moonshine.recognise([six, number], [Hints(), DIGITS])

    assert "next message" in free.text.lower()
    assert digits.text == "five nine five seven"


def test_phrases_are_never_made_up_out_of_other_speech(moonshine: MoonshineRecogniser, prompts: list[Any]) -> None:
    phrases = ("block my card", "mortgage", "exchange rate", "overdraft")
    heard = moonshine.recognise([sound for _, sound in prompts], [Hints(phrases=phrases)] * len(prompts))

    assert not [text.text for text in heard if any(phrase in text.text.lower() for phrase in phrases)]


def test_a_stream_says_at_its_end_what_the_whole_sound_says(moonshine: MoonshineRecogniser, six: AudioFrame) -> None:
    stream = moonshine.stream(Hints())
    partials = [stream.feed(frame) for frame in frames_of(six)]

    assert set(partials) == {None}
    assert "next message" in stream.finish().text.lower()


def test_a_finished_stream_hears_no_more(moonshine: MoonshineRecogniser) -> None:
    stream = moonshine.stream(Hints())

    assert not stream.finish()
    with pytest.raises(ProtocolError):
        stream.finish()
    with pytest.raises(ProtocolError):
        stream.feed(silence(Seconds(0.02), WIDEBAND))


def test_another_rate_or_language_is_refused(moonshine: MoonshineRecogniser) -> None:
    with pytest.raises(MediaError, match="8000"):
        moonshine.recognise([silence(Seconds(1.0), TELEPHONY)], [Hints()])
    with pytest.raises(ConfigError, match="ru"):
        moonshine.stream(Hints(language=RUSSIAN))


@pytest.mark.parametrize("length", [0.0, 0.001, 0.05, 0.1, 0.11])
def test_crumbs_of_sound_do_no_harm(moonshine: MoonshineRecogniser, length: float) -> None:
    loud = np.random.default_rng(1).normal(0, 3000, int(length * 16_000)).astype(np.int16)

    assert moonshine.recognise([AudioFrame(loud, WIDEBAND)], [Hints()])[0].final


def test_confidence_is_the_calibrators_and_unknown_without_one(moonshine: MoonshineRecogniser, six: AudioFrame) -> None:
    calibrator = SureCalibrator()
    (heard,) = load(calibrators=Calibrators(free=calibrator)).recognise([six], [Hints()])
    (unknown,) = moonshine.recognise([six], [Hints()])

    assert (heard.confidence, heard.words[0].confidence) == (0.9, 0.8)
    assert (unknown.confidence, unknown.words[0].confidence) == (None, None)
    assert not moonshine.capabilities.confidence


def test_digits_come_with_the_shipped_confidence(testdata: Path) -> None:
    (heard,) = load().recognise([sound_of(testdata / "digit_strings/jackson_00_5260.wav")], [DIGITS])

    assert heard.confidence is not None
    assert heard.confidence > 0.9
    assert all(word.confidence is not None for word in heard.words)


def test_the_scores_are_logarithms_of_probabilities(six: AudioFrame) -> None:
    calibrator = SureCalibrator()
    load(calibrators=Calibrators(free=calibrator)).recognise([six], [Hints()])
    (scores,) = calibrator.seen

    assert scores.words == len(scores.word_logprobs)
    assert scores.sum_logprob <= scores.min_word_logprob == min(scores.word_logprobs) <= 0.0
    assert scores.duration == pytest.approx(six.duration)


def test_weights_that_are_not_the_pinned_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "problem_in", lambda model, place: f"{place}: expected other weights")

    with pytest.raises(ModelNotFound, match="expected other weights"):
        load()
