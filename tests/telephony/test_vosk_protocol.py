"""What clients of a vosk-server say, what is replied, and how fast they may speak."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vosk import KaldiRecognizer, Model, SetLogLevel

from engine.asr.phrasing import RATES
from engine.asr.protocol import Grammar, Hints
from engine.core.audio import AudioFormat, AudioFrame, joined, silence
from engine.core.errors import MediaError
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN, Transcript, Word
from engine.core.units import Confidence, Language, Seconds
from engine.model_files import State, ready, rows
from engine.telephony.vosk_pace import Pace
from engine.telephony.vosk_protocol import BadOrder, Configure, Eof, PcmStream, Reset, Settings, read_order
from engine.telephony.vosk_replies import Wording, _written

KOREAN_MODEL = next(row.state for row in rows() if row.name == "vosk-ko") is State.READY


def after(*texts: str) -> Settings:
    """The settings after these messages."""
    found = Settings()
    for text in texts:
        order = read_order(text)
        assert isinstance(order, Configure)
        found = order.applied(found)
    return found


def heard(*words: str, language: Language = ENGLISH, sure: float | None = 0.5, **more: Any) -> Transcript:
    """Words of 0.3 s each, from 1.0 s on."""
    known = None if sure is None else Confidence(sure)
    placed = (Word(word, Seconds(1 + 0.3 * at), Seconds(1.3 + 0.3 * at), known) for at, word in enumerate(words))
    return Transcript(tuple(placed), language, known, **more)


def words_in(reply: str) -> list[str]:
    return [word["word"] for word in json.loads(reply)["result"]]


# what clients say


@pytest.mark.parametrize("text", ['{"eof" : 1}', '{"eof":1}', ' {\n"eof": true, "more": []} ', '{"eof" : 0}'])
def test_the_end_may_be_spelled_in_any_way(text: str) -> None:
    assert read_order(text) == Eof()


def test_a_reset_is_understood() -> None:
    assert read_order('{"reset" : 1}') == Reset()


def test_a_client_that_says_nothing_gets_what_vosk_server_gives() -> None:
    assert Settings() == Settings(AudioFormat(8000), None, (), words=True, alternatives=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{ "config" : { "sample_rate" : 16000 } }', Settings(AudioFormat(16_000))),
        ('{"config" : {"sample_rate" : 48000.0 }}', Settings(AudioFormat(48_000))),
        ('{"config": {"sample_rate": "16000"}}', Settings(AudioFormat(16_000))),
        ('{"config" : {"max_alternatives" : 20, "sample_rate" : 8000} }', Settings(alternatives=20)),
        ('{"config" : {"phrase_list" : ["zero one", "oh"], "words" : 0}}', Settings(phrases=("zero one", "oh"), words=False)),
        ('{"config": {"model": "model-ru", "unheard_of": {}}}', Settings(model="model-ru")),
        ('{"config": {"sample_rate": null, "words": null, "phrase_list": null}}', Settings()),
    ],
)
def test_settings_are_read_as_clients_write_them(text: str, expected: Settings) -> None:
    assert after(text) == expected


def test_what_a_second_config_does_not_name_stays() -> None:
    assert after('{"config": {"sample_rate": 16000}}', '{"config": {"words": false}}') == Settings(
        AudioFormat(16_000), words=False
    )


@pytest.mark.parametrize("rate", [0, -8000, 7999, 8000.5, 1e9, "NaN", "Infinity"])
def test_a_rate_that_nobody_uses_is_refused_with_those_that_will_do(rate: object) -> None:
    order = read_order(f'{{"config": {{"sample_rate": {rate}}}}}')
    assert isinstance(order, Configure)

    with pytest.raises(BadOrder) as refused:
        order.applied(Settings())
    assert refused.value.told.startswith("config.sample_rate: expected one of 8000 11025")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"config": 7}', "config: "),
        ('{"config": {"words": "perhaps"}}', "config.words: "),
        ('{"config": {"max_alternatives": -1}}', "config.max_alternatives: "),
        ('{"config": {"phrase_list": "yes"}}', "config.phrase_list: "),
        ('{"config": {"phrase_list": [1]}}', "config.phrase_list: "),
        ('{"config": {"model": ["a"]}}', "config.model: "),
        ("config", "expected "),
        ("", "expected "),
        ("[]", "expected "),
        ('"eof"', "expected "),
        ('{"end": 1}', "expected "),
        ("[" * 60_000, "expected "),
        ('{"eof": 1}' + " " * 70_000, "expected a text message of at most"),
    ],
)
def test_what_can_not_be_followed_is_refused_with_what_was_expected(text: str, told: str) -> None:
    with pytest.raises(BadOrder) as refused:
        read_order(text)

    assert refused.value.told.startswith(told)
    assert len(refused.value.told.encode()) <= 123  # what a close frame has room for


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_no_text_is_understood_in_part(text: str) -> None:
    try:
        order = read_order(text)
    except MediaError:
        return
    assert isinstance(order, Configure | Eof | Reset)


_CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "sample_rate": st.sampled_from(RATES) | st.floats() | st.text(max_size=5),
        "words": st.booleans() | st.integers(-1, 2),
        "max_alternatives": st.integers(-3, 200),
        "phrase_list": st.lists(st.text(max_size=9), max_size=5) | st.text(max_size=5),
        "model": st.text(max_size=9) | st.integers(),
    },
)


@given(_CONFIGS)
def test_a_config_is_applied_whole_or_refused(config: dict[str, Any]) -> None:
    try:
        order = read_order(json.dumps({"config": config}))
        assert isinstance(order, Configure)
        found = order.applied(Settings())
    except BadOrder:
        return
    assert found.format.rate_hz in RATES
    assert 0 <= found.alternatives <= 100
    assert found.hints(ENGLISH).language == ENGLISH


@given(st.binary(max_size=400), st.lists(st.integers(0, 9), max_size=200))
def test_samples_survive_any_cut_even_through_their_middle(octets: bytes, cuts: list[int]) -> None:
    pcm, at, found = PcmStream(), 0, []
    for cut in [*cuts, len(octets)]:
        found.append(pcm.feed(octets[at : at + cut]))
        at += cut

    whole = np.frombuffer(octets[: len(octets) // 2 * 2], "<i2")
    assert np.concatenate(found).tolist() == whole.tolist()


# what a phrase list does


@pytest.mark.parametrize(
    ("phrases", "language", "expected"),
    [
        (("zero one two three four five", "six seven eight nine oh"), ENGLISH, Grammar.DIGITS),
        (("yes", "no", "[unk]"), ENGLISH, Grammar.YES_NO),
        (("yes", "my card"), ENGLISH, Grammar.FREE),
        (("one", "two"), RUSSIAN, Grammar.FREE),
        (("[unk]",), ENGLISH, Grammar.FREE),
    ],
)
def test_a_phrase_list_that_fits_a_grammar_is_heard_inside_it(
    phrases: tuple[str, ...], language: Language, expected: Grammar
) -> None:
    listed = tuple(phrase for phrase in phrases if phrase != "[unk]")

    assert Settings(phrases=phrases).hints(language) == Hints(language, expected, listed, only_phrases=bool(listed))


def test_what_the_list_does_not_hold_is_unknown_where_the_list_has_the_unknown() -> None:
    found = heard("block", "um", "well", "my", "card", "please")
    listed = Settings(phrases=("block my card", "[unk]"))

    reply = Wording().final([found], listed)
    assert words_in(reply) == ["block", "[unk]", "my", "card", "[unk]"]
    assert json.loads(reply)["result"][1] == {"conf": 0.5, "start": 1.3, "end": 1.9, "word": "[unk]"}
    assert words_in(Wording().final([found], Settings(phrases=("block my card",)))) == [word.text for word in found.words]


def test_what_does_not_fit_the_list_at_all_is_unknown_or_nothing() -> None:
    rejected = heard("five", "five", rejected=True)

    assert words_in(Wording().final([rejected], Settings(phrases=("five", "[unk]")))) == ["[unk]"]
    assert json.loads(Wording().final([rejected], Settings(phrases=("five",)))) == {"text": ""}


# what is replied


def test_replies_are_written_as_vosk_writes_them() -> None:
    wording, words = Wording(), [heard("Yes,", "two.")]

    assert wording.partial(None, Settings()) == '{\n  "partial" : ""\n}'
    assert wording.partial(words[0], Settings()) == '{\n  "partial" : "yes two"\n}'
    assert wording.final([], Settings()) == '{"text": ""}'
    assert wording.final([Transcript()], Settings()) == '{\n  "text" : ""\n}'
    assert wording.final(words, Settings(words=False)) == '{\n  "text" : "yes two"\n}'
    assert wording.final(words, Settings()) == (
        '{\n  "result" : [{\n      "conf" : 0.500000,\n      "end" : 1.300000,\n      "start" : 1.000000,\n      "word" : "yes"\n'
        '    }, {\n      "conf" : 0.500000,\n      "end" : 1.600000,\n      "start" : 1.300000,\n      "word" : "two"\n    }],\n'
        '  "text" : "yes two"\n}'
    )


def test_alternatives_are_written_as_vosk_writes_them() -> None:
    words = [heard("for", "two", alternatives=("four two", "fort"))]

    assert Wording().final([], Settings(alternatives=1)) == '{"alternatives" : [{"text": "", "confidence" : 1.0}] }'
    assert Wording().final(words, Settings(alternatives=1)) == (
        '{\n  "alternatives" : [{\n      "confidence" : 0.500000,\n      "result" : [{\n          "end" : 1.300000,\n'
        '          "start" : 1.000000,\n          "word" : "for"\n        }, {\n          "end" : 1.600000,\n'
        '          "start" : 1.300000,\n          "word" : "two"\n        }],\n      "text" : "for two"\n    }]\n}'
    )
    two = json.loads(Wording().final(words, Settings(alternatives=2, words=False)))
    assert two == {"alternatives": [{"confidence": 0.5, "text": "for two"}, {"text": "four two"}]}


def test_phrases_that_waited_for_a_reply_are_told_as_one() -> None:
    both = json.loads(Wording().final([heard("one"), Transcript(), heard("two")], Settings()))

    assert both["text"] == "one two"
    assert [word["word"] for word in both["result"]] == ["one", "two"]


def test_an_unknown_confidence_is_left_out_or_is_what_the_operator_says_never_made_up() -> None:
    unknown = heard("yes", sure=None)

    (word,) = json.loads(Wording().final([unknown], Settings()))["result"]
    assert set(word) == {"word", "start", "end"}
    (word,) = json.loads(Wording(unknown_confidence=Confidence(1.0)).final([unknown], Settings()))["result"]
    assert word["conf"] == 1.0


@pytest.mark.parametrize(
    ("words", "language", "expected"),
    [
        (("Okay,", "it's", "$200!"), ENGLISH, "okay it's two hundred dollars"),
        (("Call", "555-0199."), ENGLISH, "call five five five zero one nine nine"),
        (("well-known", "'quoted'", "—", "1st"), ENGLISH, "well known quoted 1st"),
        (("Это", "25,"), RUSSIAN, "это двадцать пять"),
        (("我要", "10"), CHINESE, "我要 十"),
        (("Straße", "7"), Language("de"), "straße 7"),
        (("नमस्ते",), Language("hi"), "नमस्ते"),
    ],
)
def test_plain_words_are_as_vosk_writes_them(words: tuple[str, ...], language: Language, expected: str) -> None:
    reply = json.loads(Wording().final([heard(*words, language=language)], Settings()))

    assert reply["text"] == expected
    assert " ".join(word["word"] for word in reply["result"]) == expected
    assert all(word["start"] < word["end"] for word in reply["result"])


def test_written_words_are_as_the_recogniser_writes_them() -> None:
    assert words_in(Wording(plain=False).final([heard("Okay,", "$200!")], Settings())) == ["Okay,", "$200!"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=6), st.booleans(), st.booleans())
def test_no_final_with_words_is_taken_by_mod_vosk_for_empty_or_partial(words: list[str], plain: bool, alternatives: bool) -> None:
    asked = Settings(alternatives=2 if alternatives else 0)
    reply = Wording(plain=plain).final([heard(*filter(str.strip, words), alternatives=("x",))], asked)

    found = json.loads(reply)
    best = found["alternatives"][0] if alternatives else found
    if best["text"]:
        assert '""' not in reply
        assert '"partial"' not in reply


@pytest.mark.parametrize("words", [("partial",), ('"', "a"), ('say "', 'no"'), ("\\", "\\\\"), ("\x00",)])
@pytest.mark.parametrize("plain", [True, False])
def test_words_that_would_mislead_a_client_come_through_all_the_same(words: tuple[str, ...], plain: bool) -> None:
    reply = Wording(plain=plain).final([heard(*words)], Settings())

    text = json.loads(reply)["text"]
    assert not text or ('""' not in reply and '"partial"' not in reply)
    if words == ("partial",):
        assert text == "partial"


@pytest.mark.model
@pytest.mark.skipif(not KOREAN_MODEL, reason="the Korean Vosk model is not installed")
@pytest.mark.parametrize(("words", "alternatives"), [(True, 0), (False, 0), (True, 3), (False, 2)])
def test_the_real_recognisers_own_json_is_written_the_same_to_the_space(korean: Model, words: bool, alternatives: int) -> None:
    recogniser = KaldiRecognizer(korean, 16_000.0)
    recogniser.SetWords(words)
    recogniser.SetMaxAlternatives(alternatives)
    genuine = list(_genuine(recogniser))

    assert any('"partial"' in one for one in genuine)
    assert any('"text"' in one for one in genuine)
    for one in genuine[:-1]:
        assert _written(json.loads(one)) == one
    ours = Wording().final([heard("a", "b")], Settings(words=words, alternatives=alternatives))
    assert _shape(json.loads(ours)) == _shape(json.loads(genuine[-2]))
    assert genuine[-1] == Wording().final([], Settings(alternatives=alternatives))


@pytest.fixture(scope="module")
def korean() -> Any:
    SetLogLevel(-1)
    return Model(str(ready("vosk-ko")))


def _genuine(recogniser: Any) -> Sequence[str]:
    """What it says of noises that it takes for words, and of what comes after its end."""
    rng = np.random.default_rng(7)
    hum = np.cumsum(rng.normal(0, 900, 16_000 * 2))
    voice = AudioFrame(
        np.clip(hum - np.convolve(hum, np.ones(200) / 200, "same"), -2e4, 2e4).astype(np.int16), AudioFormat(16_000)
    )
    sound = joined([voice, silence(Seconds(0.5), voice.format)]).samples.tobytes()
    for at in range(0, len(sound), 6400):
        recogniser.AcceptWaveform(sound[at : at + 6400])
        yield recogniser.PartialResult()
    yield recogniser.FinalResult()
    yield recogniser.FinalResult()


def _shape(value: Any) -> Any:
    """Keys in their order, all the way down, of the first of a list."""
    if isinstance(value, dict):
        return [(name, _shape(below)) for name, below in value.items()]
    return [_shape(value[0])] if isinstance(value, list) else type(value)


# how fast they may speak


def test_who_speaks_live_is_never_slowed_down() -> None:
    pace = Pace(fastest=10.0, now=0.0)
    for second in range(100):
        pace.took(Seconds(1.0), float(second))
        assert pace.live(float(second))
        assert pace.wait(float(second)) == 0.0


def test_a_file_is_no_live_speech_and_comes_no_faster_than_allowed() -> None:
    pace, now = Pace(fastest=10.0, now=0.0), 0.0
    for _ in range(6000):
        pace.took(Seconds(0.2), now)
        now += pace.wait(now)

    assert not pace.live(now)
    assert now == pytest.approx(6000 * 0.2 / 10 + 6000 / 500 - 2.0, rel=0.01)


def test_messages_without_sound_come_no_faster_than_five_hundred_a_second() -> None:
    pace, now = Pace(fastest=10.0, now=0.0), 0.0
    for _ in range(10_000):
        pace.took(Seconds(0.0), now)
        now += pace.wait(now)

    assert now == pytest.approx(10_000 / 500 - 2.0, rel=0.01)


def test_a_long_silence_saves_nothing_up() -> None:
    pace = Pace(fastest=10.0, now=0.0)
    pace.took(Seconds(60.0), 1000.0)

    assert not pace.live(1000.0)
    assert pace.wait(1000.0) == pytest.approx(4.0, abs=0.01)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), max_size=40))
def test_nobody_waits_longer_than_the_sound_that_was_sent_takes_at_the_allowed_speed(steps: list[tuple[float, float]]) -> None:
    pace, now = Pace(fastest=2.0, now=0.0), 0.0
    for sound, pause in steps:
        pace.took(Seconds(sound), now)
        assert pace.wait(now) <= sound / 2.0 + 1 / 500 + 1e-6
        now += pace.wait(now) + pause
