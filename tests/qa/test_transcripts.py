"""Transcripts are read as they are written by people, by machines and by ``callwright transcribe``; broken ones are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cli.transcribe import as_json
from engine.core.call import Speaker
from engine.core.errors import MediaError
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.qa.card import ScorecardErrors
from engine.qa.card_file import parse_scorecard
from engine.qa.checks import Verdict
from engine.qa.files import load_scorecard, load_transcript
from engine.qa.scoring import score
from engine.qa.transcripts import parse_transcript, timeline_of
from engine.runtime.transcribe import SpokenTurn

TURN = {"speaker": "agent", "start": 1.0, "end": 3.0, "text": "good morning"}


def call(*turns: dict[str, Any], **more: Any) -> str:
    return json.dumps({"turns": list(turns), **more})


def test_words_without_times_are_spread_over_the_turn_by_their_length() -> None:
    first, second = parse_transcript(call(TURN), "c").words

    assert (first.text, first.start, second.text) == ("good", 1.0, "morning")
    assert first.end == second.start == pytest.approx(1.0 + 2.0 * 4 / 11)
    assert second.end == pytest.approx(3.0)


def test_han_characters_have_each_a_time_of_their_own() -> None:
    words = parse_transcript(call(TURN | {"text": "早上好,先生"}, language="zh"), "c").words

    assert [it.text for it in words] == list("早上好先生")
    assert [it.start for it in words] == pytest.approx([1.0, 1.4, 1.8, 2.2, 2.6])


def test_words_with_times_keep_them_and_their_confidence() -> None:
    turn = TURN | {"words": [{"text": "Good,", "start": 1.2, "end": 1.5, "confidence": 0.7}]}
    (word,) = parse_transcript(call(turn), "c").words

    assert (word.text, word.start, word.end, word.confidence) == ("good", 1.2, 1.5, 0.7)


def test_transcribers_marks_are_not_words_and_a_turn_of_nothing_else_is_silence() -> None:
    timeline = parse_transcript(
        call(TURN | {"text": "[noise] good [cough]"}, TURN | {"start": 5, "end": 6, "text": "[noise]"}), "c"
    )

    assert [it.text for it in timeline.words] == ["good"]
    assert timeline.conversation.end == 3.0


def test_a_word_that_was_not_understood_has_no_confidence_at_all() -> None:
    good, unheard = parse_transcript(call(TURN | {"text": "good <unk>"}), "c").words

    assert good.confidence is None
    assert unheard.confidence == 0.0


def test_a_masked_secret_is_speech_that_nobody_can_read() -> None:
    words = [{"text": "•", "start": 1.0, "end": 3.0, "confidence": None}]
    timeline = parse_transcript(call(TURN | {"text": "•", "words": words}), "c")

    assert [(it.text, it.confidence) for it in timeline.words] == [("unk", 0.0)]
    assert [(it.start, it.end) for it in timeline.speech] == [(1.0, 3.0)]


def test_a_speaker_may_be_unknown() -> None:
    assert parse_transcript(call(TURN | {"speaker": "unknown"}), "c").words[0].speaker is None


def test_a_machines_words_are_marked_as_such() -> None:
    assert parse_transcript(call(TURN, source="machine"), "c").by_machine
    assert not parse_transcript(call(TURN), "c").by_machine


def test_words_with_a_confidence_are_a_machines() -> None:
    turn = TURN | {"words": [{"text": "good", "start": 1.2, "end": 1.5, "confidence": 0.7}]}

    assert parse_transcript(call(turn), "c").by_machine
    assert not parse_transcript(call(turn, source="human"), "c").by_machine


def test_the_designs_own_shape_is_read_and_what_else_is_in_it_is_left_alone() -> None:
    more = {
        "call_id": "7f",
        "language": "en",
        "channels": {"left": "caller", "right": "agent"},
        "source": "an archive",
        "path": None,
    }

    assert parse_transcript(call(TURN, **more), "c") == parse_transcript(call(TURN), "c")


def late(first_word: float, **more: Any) -> str:
    words = [{"text": "calling", "start": first_word, "end": 2.9, "confidence": 0.9}]
    return call(TURN | {"text": "calling", "words": words}, **more)


def test_voice_long_before_the_first_word_is_words_that_were_lost() -> None:
    words = parse_transcript(late(1.7), "c").words

    assert [(it.text, it.confidence) for it in words] == [("unk", 0.0), ("unk", 0.0), ("calling", 0.9)]
    assert (words[0].start, words[1].end) == (1.0, pytest.approx(1.7))


def test_a_detectors_usual_lead_is_nothing_lost_and_people_lose_nothing() -> None:
    assert len(parse_transcript(late(1.3), "c").words) == 1
    assert len(parse_transcript(late(1.7, source="human"), "c").words) == 1


def test_what_may_have_been_lost_is_unknown_and_not_failed() -> None:
    card = parse_scorecard("scorecard: c\nlanguages: [en]\nquestions: [{id: q, check: {exists: {say: thanks for calling}}}]", "c")

    assert score(card, parse_transcript(late(1.7), "c")).answers[0].ruling.verdict is Verdict.UNKNOWN
    assert score(card, parse_transcript(late(1.3), "c")).answers[0].ruling.verdict is Verdict.FAIL


def test_what_transcribe_prints_can_be_scored() -> None:
    words = tuple(Word(text, Seconds(n), Seconds(n + 1), Confidence(0.9)) for n, text in enumerate(["Good", "morning."]))
    printed = as_json(Path("a.wav"), "en", (SpokenTurn(Speaker.AGENT, Seconds(0), Seconds(2), Transcript(words)),))
    card = parse_scorecard("scorecard: c\nlanguages: [en]\nquestions: [{id: q, check: {exists: {say: good morning}}}]", "c")
    answer = score(card, timeline_of(printed, "a.wav")).answers[0].ruling

    assert (answer.verdict, answer.confidence) == (Verdict.PASS, pytest.approx(0.9))
    assert answer.evidence[0].text == "Good morning."


def test_turns_may_come_in_any_order() -> None:
    later = TURN | {"start": 7, "end": 9, "speaker": "caller"}

    assert parse_transcript(call(later, TURN), "c") == parse_transcript(call(TURN, later), "c")


BROKEN = {
    "not JSON": ("{", "the file"),
    "a list": ("[]", "the file"),
    "no turns": ("{}", "turns"),
    "a turn without a speaker": (call({"start": 0, "end": 1, "text": "a"}), "turns.0.speaker"),
    "a speaker nobody knows": (call(TURN | {"speaker": "robot"}), "turns.0.speaker"),
    "an end before the start": (call(TURN | {"end": 0.5}), "turns.0"),
    "a time before the call": (call(TURN | {"start": -1}), "turns.0.start"),
    "a time that is no number": ('{"turns": [{"speaker": "agent", "start": NaN, "end": 1, "text": "a"}]}', "turns.0.start"),
    "a time without end": (call(TURN | {"end": 1e300}), "turns.0.end"),
    "a confidence above one": (
        call(TURN | {"words": [{"text": "a", "start": 1, "end": 2, "confidence": 7}]}),
        "turns.0.words.0.confidence",
    ),
    "a text that is none": (call(TURN | {"text": 7}), "turns.0.text"),
}


@pytest.mark.parametrize(("text", "place"), BROKEN.values(), ids=BROKEN)
def test_a_broken_transcript_is_refused_with_the_place(text: str, place: str) -> None:
    with pytest.raises(MediaError, match=rf"^c\.json: expected a transcript, found at {place}: "):
        parse_transcript(text, "c.json")


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")

    for name in ("none.json", "binary.json"):
        with pytest.raises(MediaError, match=name):
            load_transcript(tmp_path / name)


def test_a_card_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")

    for name in ("none.yaml", "binary.yaml"):
        with pytest.raises(ScorecardErrors, match=name):
            load_scorecard(tmp_path / name)


CARD = parse_scorecard(
    """
scorecard: all
languages: [en]
terms:
  hello: {say: [hello there, good (old) day|morning], by: agent}
  pause: {silence: 2s}
questions:
  - {id: a, check: {exists: hello, within: first 2 agent turns}}
  - {id: b, check: {absent: hello, unless: pause, gap: 2 turns}}
  - {id: c, check: {count: {overlap: 100ms, by: caller}, at_most: 2}}
  - {id: d, check: {exists: {not: [hello, pause]}, before: {speed: {above: 100}}, gap: 3 words}}
  - {id: e, check: {exists: {both: [{turns: agent}, last 10s]}, longer: 1s, last: 2}}
""",
    "c",
)
WORDS = st.lists(st.sampled_from(["hello", "there", "good", "day", "<unk>", "[noise]", "你好", "", "!?"]), max_size=6).map(
    " ".join
)
TURNS = st.builds(
    lambda who, start, length, text: {"speaker": who, "start": start, "end": start + length, "text": text},
    st.sampled_from(["agent", "caller", "unknown"]),
    st.floats(0, 60),
    st.floats(0, 20),
    WORDS,
)


@given(st.lists(TURNS, max_size=8), st.sampled_from(["human", "machine"]))
def test_whatever_is_said_every_question_gets_an_answer_with_its_proof(turns: list[dict[str, Any]], source: str) -> None:
    timeline = timeline_of({"turns": turns, "source": source}, "c")
    result = score(CARD, timeline)
    inside = timeline.conversation

    assert len(result.answers) == len(CARD.questions)
    for answer in result.answers:
        assert answer.ruling.evidence or answer.ruling.searched or not timeline.stretches
        assert all(inside.start <= it.span.start <= it.span.end <= inside.end + 1e-6 for it in answer.ruling.evidence)
