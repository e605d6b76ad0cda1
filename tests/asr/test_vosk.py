"""Vosk, for real: with the packaged Korean model. It proves the plumbing: nobody speaks Korean in our recordings, and on other
languages Kaldi's dither changes the words from one hearing to the next, so the most stable recording is used."""

from pathlib import Path

import pytest

from engine.asr.backends.vosk import VoskRecogniser, load
from engine.asr.features import RawScores
from engine.asr.protocol import Grammar, Hints, Recogniser
from engine.audio.files import read
from engine.audio.resample import resample
from engine.core.audio import WIDEBAND, AudioFrame, frames_of
from engine.core.errors import ModelNotFound
from engine.core.units import Confidence, Language
from engine.model_files import State, rows
from engine.testing.contracts import RecogniserContract

KOREAN = Language("ko")
TESTDATA = Path(__file__).resolve().parents[3] / "shared" / "testdata"
pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(
        next(row.state for row in rows() if row.name == "vosk-ko") is not State.READY,
        reason="the Korean Vosk model is not installed",
    ),
]


@pytest.fixture(scope="module")
def vosk() -> VoskRecogniser:
    return load(model="vosk-ko", language=KOREAN)


@pytest.fixture(scope="module")
def speech(testdata: Path) -> AudioFrame:
    return resample(read(testdata / "prompts" / "es" / "vm-num-i-have.wav").channels[0], WIDEBAND)


@pytest.mark.testdata
class TestVosk(RecogniserContract):
    hints = Hints(language=KOREAN)

    @pytest.fixture(scope="class")
    @classmethod
    def recogniser(cls, vosk: VoskRecogniser) -> Recogniser:
        return vosk


def test_a_folder_without_a_model_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"am/final\.mdl"):
        load(model=str(tmp_path))


def test_grammars_are_offered_for_languages_whose_words_we_know(vosk: VoskRecogniser) -> None:
    assert vosk.capabilities.grammars == {Grammar.FREE, Grammar.DIGITS, Grammar.YES_NO}
    assert vosk.capabilities.partials
    assert not vosk.capabilities.confidence


@pytest.mark.testdata
def test_a_grammar_holds_its_ear_to_the_listed_words(vosk: VoskRecogniser, speech: AudioFrame) -> None:
    heard = vosk.recognise([speech], [Hints(language=KOREAN, grammar=Grammar.YES_NO)])[0]

    assert set(heard.text.split()) <= {"네", "예", "아니요", "아니", "맞아요"}


@pytest.mark.testdata
def test_partials_grow_while_the_caller_speaks(vosk: VoskRecogniser, speech: AudioFrame) -> None:
    stream = vosk.stream(Hints(language=KOREAN))
    partials = [partial for frame in frames_of(speech) if (partial := stream.feed(frame))]

    assert len(partials) >= 2
    assert len(partials[-1].words) >= len(partials[0].words)
    assert all(word.end <= speech.duration + 0.02 for partial in partials for word in partial.words)


@pytest.mark.testdata
def test_a_calibrator_turns_its_scores_into_confidence(speech: AudioFrame) -> None:
    class Even:
        def turn(self, scores: RawScores) -> Confidence:
            return Confidence(0.5)

        def word(self, logprob: float, scores: RawScores) -> Confidence:
            return Confidence(0.25 if logprob < 0 else 0.75)

    heard = load(model="vosk-ko", language=KOREAN, calibrator=Even()).recognise([speech], [Hints(language=KOREAN)])[0]

    assert heard.confidence == 0.5
    assert {word.confidence for word in heard.words} <= {0.25, 0.75}


@pytest.mark.testdata
def test_where_only_a_list_of_phrases_counts_nothing_else_is_heard(vosk: VoskRecogniser, speech: AudioFrame) -> None:
    listed = Hints(KOREAN, phrases=("네 네", "하고 있다", "not a word of this model"), only_phrases=True)
    (heard,) = vosk.recognise([speech], [listed])

    assert heard
    assert {word.text for word in heard.words} <= {"네", "하고", "있다"}
