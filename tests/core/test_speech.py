from __future__ import annotations

from engine.core.speech import CHINESE, ENGLISH, NOTHING, Transcript, Word
from engine.core.units import Language, Seconds


def said(*words: str, language: Language = ENGLISH) -> Transcript:
    return Transcript(tuple(Word(word, Seconds(0.0), Seconds(0.1)) for word in words), language)


def test_words_are_written_as_their_language_writes_them() -> None:
    assert said("block", "my", "card").text == "block my card"
    assert said("我的", "卡", language=CHINESE).text == "我的卡"


def test_a_transcript_without_words_is_false() -> None:
    assert not NOTHING
    assert said("yes")
