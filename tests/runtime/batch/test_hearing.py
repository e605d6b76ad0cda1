"""Recordings to turns in bulk: who is heard by whom, at what cost; and the real models on a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.asr.normalise import word_errors
from engine.asr.protocol import Grammar, Hints
from engine.asr.stretches import Cutting, Stretch
from engine.audio.files import read
from engine.audio.recording import Recording
from engine.core.audio import TELEPHONY, AudioFrame, silence
from engine.core.call import Speaker
from engine.core.errors import ConfigError
from engine.core.speech import ENGLISH, RUSSIAN, Transcript, Word
from engine.core.units import Confidence, Language, Seconds
from engine.qa.timeline import EventKind
from engine.qa.transcripts import timeline_of
from engine.runtime.batch.channels import by_speaker
from engine.runtime.batch.hearing import Asked, BatchTranscriber
from engine.runtime.batch.passes import HearingSettings, to_hear_twice
from engine.runtime.batch.work import Tier
from engine.testing.parts import tone
from engine.testing.recognisers import ScriptedRecogniser

CALL = "calls_semisynthetic/hv_010d38f5ada54e0d_stereo.wav"


class Loud:
    """Takes whatever is loud for a voice."""

    def stretches(self, channel: AudioFrame, cutting: Cutting) -> list[Stretch]:
        loud = np.flatnonzero(np.abs(channel.samples) > 500) / channel.format.rate_hz
        breaks = np.flatnonzero(np.diff(loud) > cutting.pause)
        starts, ends = np.append(loud[:1], loud[breaks + 1]), np.append(loud[breaks], loud[-1:])
        return [Stretch(Seconds(start), Seconds(end)) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


class Polyglot(ScriptedRecogniser):
    """Hears Russian too, and is told which language it would detect."""

    def __init__(self, *phrases: str, detects: str = "en", sure: float = 0.9) -> None:
        super().__init__(*phrases, languages=(ENGLISH, RUSSIAN))
        self._detects = detects, sure

    def languages(self, sound: AudioFrame) -> list[tuple[Language, Confidence]]:
        language, sure = self._detects
        return [(Language(language), Confidence(sure))]


class Echo(ScriptedRecogniser):
    """Says how long each sound is."""

    def __init__(self) -> None:
        super().__init__("words")
        self.batches: list[int] = []

    def recognise(self, utterances: Sequence[AudioFrame], hints: Sequence[Hints]) -> list[Transcript]:
        self.batches.append(len(utterances))
        return [Transcript((Word(f"{sound.duration:.1f}", Seconds(0.0), Seconds(0.1)),)) for sound in utterances]


def pieces(*spans: tuple[float, float], length: float = 8.0) -> AudioFrame:
    sound = silence(Seconds(length)).samples.copy()
    for start, end in spans:
        loud = tone(Seconds(end - start)).samples
        sound[round(start * 8000) : round(start * 8000) + len(loud)] = loud
    return AudioFrame(sound)


def recorded(*channels: AudioFrame) -> Recording:
    return Recording(channels, TELEPHONY, "WAV/PCM_16")


def ears(
    first: ScriptedRecogniser,
    second: ScriptedRecogniser | None = None,
    share: float = 1.0,
    digits: ScriptedRecogniser | None = None,
) -> BatchTranscriber:
    """A transcriber whose models are scripted."""
    transcriber = BatchTranscriber(HearingSettings(second_share=share, window=Seconds(0.0)))
    other = second or Polyglot("heard twice")
    transcriber.__dict__.update(_voice=Loud())
    transcriber._passes.__dict__.update(first=first, second=other, careful=other, digits=digits)
    return transcriber


def test_each_channel_has_its_speaker_and_turns_come_by_their_start() -> None:
    call = recorded(pieces((3, 4)), pieces((1, 2), (5, 6)))
    heard = ears(ScriptedRecogniser("words")).transcribe(call, ENGLISH, Tier.FAST)

    assert [turn.speaker for turn in heard.turns] == [Speaker.AGENT, Speaker.CALLER, Speaker.AGENT]
    assert [turn.start for turn in heard.turns] == pytest.approx([1, 3, 5], abs=0.05)
    assert [turn.transcript.words[0].start for turn in heard.turns] == pytest.approx([1, 3, 5], abs=0.2)


def test_the_agent_may_be_on_the_left() -> None:
    call = recorded(pieces((3, 4)), pieces((1, 2)))
    heard = ears(ScriptedRecogniser("words")).transcribe(call, ENGLISH, Tier.FAST, left=Speaker.AGENT)

    assert [turn.speaker for turn in heard.turns] == [Speaker.CALLER, Speaker.AGENT]


def test_of_one_channel_nobody_knows_who_speaks() -> None:
    heard = ears(ScriptedRecogniser("words")).transcribe(recorded(pieces((1, 2))), ENGLISH, Tier.FAST)

    assert [turn.speaker for turn in heard.turns] == [None]
    assert heard.as_json()["turns"][0]["speaker"] == "unknown"


def test_one_sound_stored_twice_is_one_channel() -> None:
    sound = pieces((1, 2))

    assert by_speaker(recorded(sound, sound), Speaker.CALLER) == [(None, sound)]
    assert len(by_speaker(recorded(sound, pieces((4, 5))), Speaker.CALLER)) == 2


def test_silence_is_a_call_in_which_nobody_speaks() -> None:
    first = ScriptedRecogniser("words")
    heard = ears(first).transcribe(recorded(silence(Seconds(5.0)), silence(Seconds(5.0))))

    assert (heard.turns, heard.nothing) == ((), "nobody speaks")
    assert first.asked == []


def test_fast_asks_the_first_alone_and_accurate_the_careful_one() -> None:
    first, second = ScriptedRecogniser("fast words", sureness=0.1), Polyglot("careful words")
    call = recorded(pieces((1, 2)))

    assert ears(first, second).transcribe(call, ENGLISH, Tier.FAST).text == "fast words"
    assert second.asked == []
    assert ears(first, second).transcribe(call, ENGLISH, Tier.ACCURATE).text == "careful words"


def test_both_asks_the_second_where_the_first_is_unsure() -> None:
    call = recorded(pieces((1, 2)))
    sure, unsure, second = ScriptedRecogniser("one", sureness=0.97), ScriptedRecogniser("one", sureness=0.1), Polyglot("two")

    assert ears(sure, second).transcribe(call, ENGLISH, Tier.BOTH).text == "one"
    assert second.asked == []
    assert ears(unsure, second).transcribe(call, ENGLISH, Tier.BOTH).text == "two"


def said(sure: float | None, words: int = 1) -> Transcript:
    known = None if sure is None else Confidence(sure)
    return Transcript((Word("word", Seconds(0.0), Seconds(0.1), known),) * words, confidence=known)


def test_second_opinions_go_to_the_least_sure_until_their_share_is_used_up() -> None:
    heard = [said(sure) for sure in (0.5, 0.1, 0.95, None, 0.3)]
    lengths = [Seconds(2.0)] * 5

    assert to_hear_twice(heard, lengths, HearingSettings(second_share=0.8, window=Seconds(0.0)), range(5)) == [1, 3, 4]
    assert to_hear_twice(heard, lengths, HearingSettings(second_share=0.0, window=Seconds(5.0)), range(5)) == [1, 3]
    assert to_hear_twice(heard, lengths, HearingSettings(second_share=1.0), range(5), [1]) == [0, 3, 4]


def test_second_opinions_go_where_most_words_a_second_are_doubtful() -> None:
    heard, lengths = [said(0.5, words=1), said(0.7, words=4), Transcript()], [Seconds(2.0), Seconds(2.0), Seconds(4.0)]

    assert to_hear_twice(heard, lengths, HearingSettings(second_share=0.0, window=Seconds(2.0)), range(3)) == [1]
    assert to_hear_twice(heard, lengths, HearingSettings(second_share=0.0, window=Seconds(4.0)), range(3)) == [2]


def test_what_is_nearly_all_numbers_is_heard_by_the_ear_for_digits() -> None:
    call = recorded(pieces((1, 2), (4, 5)))
    first, second = ScriptedRecogniser("for two six", "your card", sureness=0.1), Polyglot("your car")
    digits = ScriptedRecogniser("four two six", sureness=0.97)
    heard = ears(first, second, digits=digits).transcribe(call, ENGLISH, Tier.BOTH)

    assert [turn.transcript.text for turn in heard.turns] == ["four two six", "your car"]
    assert digits.asked == [Hints(grammar=Grammar.DIGITS)]
    assert len(second.asked) == 1, "what is known is not heard twice"


def test_digits_that_are_surer_than_what_both_have_read_stand() -> None:
    first, second = ScriptedRecogniser("for two six", sureness=0.1), Polyglot("")
    digits = ScriptedRecogniser("four two six", sureness=0.4)
    heard = ears(first, second, digits=digits).transcribe(recorded(pieces((1, 2))), ENGLISH, Tier.BOTH)

    assert [turn.transcript.text for turn in heard.turns] == ["four two six"]
    assert len(second.asked) == 1, "what is not sure is heard twice"
    assert len(digits.asked) == 1, "and by the ear for digits once"


def test_a_language_that_is_not_told_is_detected_and_heard_by_who_knows_it() -> None:
    second = Polyglot("русские слова", detects="ru")
    heard = ears(ScriptedRecogniser("english words"), second).transcribe(recorded(pieces((1, 2))))

    assert (heard.language, heard.text, heard.nothing) == ("ru", "русские слова", None)
    assert second.asked == [Hints(RUSSIAN)]


@pytest.mark.parametrize("detected", [Polyglot("no words", detects="de"), Polyglot("no words", detects="en", sure=0.2)])
def test_an_unknown_language_is_said_and_not_guessed_at(detected: Polyglot) -> None:
    heard = ears(ScriptedRecogniser("no words"), detected).transcribe(recorded(pieces((1, 2))))

    assert heard.turns == ()
    assert heard.nothing is not None
    assert heard.nothing.startswith("unknown language")


def test_a_recogniser_that_can_not_tell_languages_apart_says_so() -> None:
    with pytest.raises(ConfigError, match="tell the language"):
        ears(ScriptedRecogniser("one"), ScriptedRecogniser("two")).transcribe(recorded(pieces((1, 2))))


def test_recordings_that_are_heard_together_keep_their_own_turns() -> None:
    first = Echo()
    one, two = recorded(pieces((1, 2), (5, 7))), recorded(pieces((3, 6)))
    asked = [
        Asked(one, ENGLISH, Tier.FAST),
        Asked(recorded(silence(Seconds(2.0))), ENGLISH, Tier.FAST),
        Asked(two, ENGLISH, Tier.FAST),
    ]
    heard = ears(first).transcribe_all(asked)

    assert first.batches == [3]
    assert [it.text for it in heard] == ["1.2 2.2", "", "3.2"]
    assert [it.nothing for it in heard] == [None, "nobody speaks", None]
    assert [turn.start for turn in heard[2].turns] == pytest.approx([3], abs=0.05)


def test_languages_are_not_mixed_when_recordings_are_heard_together() -> None:
    first, second = ScriptedRecogniser("words"), Polyglot("слова")
    call = recorded(pieces((1, 2)))
    heard = ears(first, second).transcribe_all([Asked(call, RUSSIAN, Tier.FAST), Asked(call, ENGLISH, Tier.FAST)])

    assert [(it.language, it.text) for it in heard] == [(RUSSIAN, "слова"), (ENGLISH, "words")]


def test_the_revision_names_settings_and_tier() -> None:
    one, other = BatchTranscriber(), BatchTranscriber(HearingSettings(second_share=0.3))

    assert one.revision(Tier.BOTH) == BatchTranscriber().revision(Tier.BOTH)
    assert len({one.revision(Tier.BOTH), one.revision(Tier.FAST), other.revision(Tier.BOTH)}) == 3


def test_loudness_and_music_are_events_of_the_transcript() -> None:
    heard = ears(ScriptedRecogniser("words")).transcribe(recorded(pieces((1, 2)), pieces((3, 4))), ENGLISH, Tier.FAST)
    timeline = timeline_of(heard.as_json(), "call")

    loudness = [event for event in timeline.events if event.kind is EventKind.LOUDNESS]
    assert [event.span.speaker for event in loudness] == [Speaker.CALLER, Speaker.AGENT]
    assert all(event.value is not None and -60 < event.value < 0 for event in loudness)
    assert timeline.by_machine


@pytest.mark.model
@pytest.mark.testdata
@pytest.mark.parametrize(("tier", "most_wrong"), [(Tier.FAST, 0.35), (Tier.BOTH, 0.2)])
def test_a_call_is_heard_by_the_real_models(
    testdata: Path, manifest: Sequence[Mapping[str, Any]], tier: Tier, most_wrong: float
) -> None:
    (row,) = (it for it in manifest if it["path"] == CALL)
    said = sorted((it for it in row["segments"] if it["speech"]), key=lambda it: it["start_s"])
    heard = BatchTranscriber().transcribe(read(testdata / CALL), ENGLISH, tier)
    errors = word_errors(" ".join(it["text"] for it in said), heard.text, ENGLISH)

    assert errors.edits / errors.tokens < most_wrong
    assert {turn.speaker for turn in heard.turns} == set(Speaker)
    assert all(turn.transcript.confidence is not None for turn in heard.turns)
    assert all(word.start <= word.end <= heard.duration for turn in heard.turns for word in turn.transcript.words)


@pytest.mark.model
@pytest.mark.testdata
@pytest.mark.parametrize(("path", "language"), [("speech/ru_webrtcvad_8k.wav", "ru"), ("speech/jfk.flac", "en")])
def test_real_speech_tells_its_language(testdata: Path, path: str, language: str) -> None:
    heard = BatchTranscriber().transcribe(read(testdata / path), None, Tier.FAST)

    assert (heard.language, heard.nothing) == (language, None)
    assert heard.text
