"""Recordings into turns: where they are cut, who speaks, and who is heard twice; the recognisers scripted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.core.audio import AudioFrame, silence
from engine.core.call import Speaker
from engine.core.errors import MediaError
from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.runtime.transcribe import SpokenTurn, Transcriber, together
from engine.testing.parts import Loudness, tone
from engine.testing.recognisers import ScriptedRecogniser


@pytest.fixture(autouse=True)
def _loudness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tones are voices here."""
    monkeypatch.setattr("engine.runtime.transcribe.make_vad", lambda name: Loudness)


def pieces(*spans: tuple[float, float], length: float) -> AudioFrame:
    """Loud in these spans."""
    sound = silence(Seconds(length)).samples.copy()
    for start, end in spans:
        loud = tone(Seconds(end - start)).samples
        sound[round(start * 8000) : round(start * 8000) + len(loud)] = loud
    return AudioFrame(sound)


def stored(path: Path, *channels: AudioFrame) -> Path:
    soundfile.write(path, np.stack([channel.samples for channel in channels], axis=1), 8000)
    return path


def test_each_stretch_of_voice_is_a_turn_at_its_place(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.wav", pieces((0.5, 1.5), (4.0, 5.0), length=6.0))
    turns = Transcriber(ScriptedRecogniser("first words", "second words")).transcribe(path, ENGLISH)

    assert [turn.transcript.text for turn in turns] == ["first words", "second words"]
    assert [turn.start for turn in turns] == pytest.approx([0.5, 4.0], abs=0.4)
    assert [turn.end for turn in turns] == pytest.approx([1.5, 5.0], abs=0.4)
    assert turns[1].transcript.words[0].start >= turns[1].start


def test_in_a_stereo_call_the_caller_is_on_the_left_and_turns_come_by_their_start(tmp_path: Path) -> None:
    left, right = pieces((4.0, 5.0), length=8.0), pieces((0.5, 1.5), (6.0, 7.0), length=8.0)
    turns = Transcriber(ScriptedRecogniser("words")).transcribe(stored(tmp_path / "a.wav", left, right), ENGLISH)

    assert [turn.speaker for turn in turns] == [Speaker.AGENT, Speaker.CALLER, Speaker.AGENT]
    assert [turn.start for turn in turns] == sorted(turn.start for turn in turns)


def test_of_who_talks_on_without_a_pause_nothing_is_lost_and_nothing_heard_twice() -> None:
    spans = list(Transcriber(ScriptedRecogniser("words")).spans(pieces((1.0, 41.0), length=43.0)))

    assert len(spans) > 2
    assert spans[0][0] < 1.0
    assert spans[-1][1] > 41.0
    assert [end for _, end in spans[:-1]] == pytest.approx([start for start, _ in spans[1:]], abs=0.021)


def test_silence_has_no_turns(tmp_path: Path) -> None:
    first = ScriptedRecogniser("words")

    assert Transcriber(first).transcribe(stored(tmp_path / "a.wav", silence(Seconds(3.0))), ENGLISH) == ()
    assert first.asked == []


def test_only_what_the_first_is_unsure_of_is_heard_by_the_second() -> None:
    sure, unsure = ScriptedRecogniser("block my card", sureness=0.95), ScriptedRecogniser("block my car", sureness=0.3)
    second = ScriptedRecogniser("block my card", sureness=0.9)
    voice = pieces((0.5, 2.5), length=4.0)

    assert [t.transcript.text for t in Transcriber(sure, second).hear(voice, Speaker.CALLER, ENGLISH)] == ["block my card"]
    assert second.asked == []
    assert [t.transcript.text for t in Transcriber(unsure, second).hear(voice, Speaker.CALLER, ENGLISH)] == ["block my card"]
    assert len(second.asked) == 1


def test_what_can_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")

    with pytest.raises(MediaError):
        Transcriber(ScriptedRecogniser("words")).transcribe(tmp_path / "a.wav", ENGLISH)


def turn(text: str, sure: float | None) -> SpokenTurn:
    words = (Word(text, Seconds(0.0), Seconds(1.0)),)
    confidence = None if sure is None else Confidence(sure)
    return SpokenTurn(Speaker.CALLER, Seconds(0.0), Seconds(1.0), Transcript(words, confidence=confidence))


@pytest.mark.parametrize(
    ("sureness", "expected"), [((0.9, 0.6), 0.6), ((0.9, None), None), ((), None)], ids=["least sure", "one unknown", "nothing"]
)
def test_the_whole_is_as_sure_as_its_least_sure_turn(sureness: tuple[float | None, ...], expected: float | None) -> None:
    assert together([turn("word", sure) for sure in sureness], ENGLISH).confidence == expected


def test_joined_pieces_keep_their_words() -> None:
    assert together([turn("block", 0.9), turn("card", 0.9)], ENGLISH).text == "block card"
