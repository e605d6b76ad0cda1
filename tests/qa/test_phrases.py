"""Phrases are found as people say them and recognisers hear them, and not where something else was said."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.core.call import Speaker
from engine.core.units import Confidence, Seconds
from engine.nlu.wording import tokens
from engine.qa.laying import Doubt, Match, apart, laid
from engine.qa.phrases import Phrase, Tolerance, phrase
from engine.qa.spans import Span, spans
from engine.qa.speech import Speech
from engine.qa.timeline import HeardWord
from engine.qa.words import OTHER, stem, unlikeness


def words(text: str, confidence: float | None = None) -> list[HeardWord]:
    """A word a second; ``word@0.3`` has a confidence of its own."""
    found = []
    for n, piece in enumerate(piece for word in text.split() for piece in _pieces(word)):
        word, _, own = piece.partition("@")
        sure = float(own) if own else confidence
        known = None if sure is None else Confidence(sure)
        found.append(HeardWord(word, Seconds(n), Seconds(n + 1), Speaker.AGENT, known))
    return found


def _pieces(word: str) -> list[str]:
    return [word] if "@" in word else [it.text for it in tokens(word)]


def found(wanted: str, said: str, tolerance: Tolerance = Tolerance.CLOSE) -> list[str]:
    return [" ".join(it.text for it in match.words) for match in Speech(words(said)).heard(phrase(wanted, tolerance))]


def may_be(wanted: str, said: str, confidence: float | None = 0.95, *, by_machine: bool = False) -> bool:
    return any(Speech(words(said, confidence), Doubt(by_machine=by_machine)).perhaps(phrase(wanted)))


SAID = [
    ("thank you for calling", "so Thank you for calling, bye"),
    ("thank you for calling", "thank you um for calling"),
    ("thank you for calling", "thank you for callin"),
    ("have a great|good day", "have a good day"),
    ("have a great|good day", "have a great day"),
    ("have a (very) good day", "have a very good day"),
    ("have a (very) good day", "have a good day"),
    ("my name is _", "my name is zebedee"),
    ("the rate is ... per cent", "the rate is five point four per cent"),
    ("is there anything else i can help you with", "is there anything else can help you with"),
    ("harper valley bank", "harbor valley bank"),
    ("transfer your call", "transferring your calls"),
    ("номер договора", "номером договора"),
    ("подтвердите вашу личность", "подтвердите, пожалуйста вашу личность"),
    ("спасибо за звонок", "спасибо вам за звонок"),
    ("счёт", "счетами"),
    ("核实您的身份", "我需要核实您的身份吗"),
    ("核实您的身份信息", "核实你的身份信息"),
]

NOT_SAID = [
    ("thank you for calling", "thank you for everything"),
    ("thank you for calling", "thank you"),
    ("thank you for calling", "calling for you thank"),
    ("my name is _", "what is my name"),
    ("have a (very) good day", "have a very bad day"),
    ("no", "on"),
    ("card", "car"),
    ("спасибо за звонок", "спасибо за помощь"),
    ("核实身份", "核对账户"),
    ("thank you for calling", ""),
    ("25 dollars", "35 dollars"),
]


@pytest.mark.parametrize(("wanted", "said"), SAID)
def test_what_was_said_is_found(wanted: str, said: str) -> None:
    assert found(wanted, said)


@pytest.mark.parametrize(("wanted", "said"), NOT_SAID)
def test_what_was_not_said_is_not_found(wanted: str, said: str) -> None:
    assert not found(wanted, said)


def test_exact_takes_every_word_as_it_is() -> None:
    assert found("thank you for calling", "thank you for calling", Tolerance.EXACT)
    assert not found("thank you for calling", "thank you for callin", Tolerance.EXACT)
    assert not found("thank you for calling", "thank you so for calling", Tolerance.EXACT)


def test_loose_forgives_a_word_more_than_close_does() -> None:
    assert not found("thank you for calling", "thank you calling")
    assert found("thank you for calling", "thank you calling", Tolerance.LOOSE)


def test_a_phrase_remembers_only_so_many_words() -> None:
    sought = phrase("thank you for calling")
    for n in range(0, 30_000, 1000):
        list(Speech(words(" ".join(f"w{m}x" for m in range(n, n + 1000)))).heard(sought))

    assert len(sought.lexicon._known) <= 20_000
    assert list(Speech(words("thank you for calling")).heard(sought))


def test_a_phrase_said_twice_is_found_twice_and_a_place_once() -> None:
    assert found("good day", "good day to you good day") == ["good day", "good day"]


def test_a_gap_is_a_few_words_and_not_a_speech() -> None:
    assert not found("the rate is ... per cent", f"the rate is {'well ' * 3}{'anyway ' * 9} per cent")


@given(st.lists(st.sampled_from(["please", "confirm", "your", "identity", "today"]), min_size=1, max_size=7), st.data())
def test_a_phrase_is_found_in_any_speech_that_holds_it(wanted: list[str], data: st.DataObject) -> None:
    around = st.lists(st.sampled_from(["uh", "well", "card", "please", "your"]), max_size=6)
    said = [*data.draw(around), *wanted, *data.draw(around)]

    assert found(" ".join(wanted), " ".join(said))
    assert found(" ".join(wanted), " ".join(said), Tolerance.EXACT)


SPOKEN = st.lists(
    st.tuples(
        st.sampled_from(["thank", "thanks", "you", "for", "calling", "um", "falling", "so", "much", "bye", "unk", "PAUSE"]),
        st.sampled_from([None, 0.0, 0.2, 0.7, 1.0]),
    ),
    max_size=60,
)
WANTED = [
    "thank you for calling",
    "thank you (so) (much) for ... calling bye",
    "bye",
    "_ you for calling so much bye",
    "so|much you|for _",
    "you ... bye",
]


def spoken_words(spoken: list[tuple[str, float | None]]) -> list[HeardWord]:
    """A word a second, with pauses that end a breath."""
    found, at = [], 0.0
    for text, sure in spoken:
        at += 9.0 if text == "PAUSE" else 1.0
        if text != "PAUSE":
            known = None if sure is None else Confidence(sure)
            found.append(HeardWord(text, Seconds(at), Seconds(at + 1), Speaker.AGENT, known))
    return found


def everywhere(speech: Speech, sought: Phrase, weights: Sequence[float] | None, most: float) -> list[Match]:
    """Every way to lay a phrase over each breath, by brute force."""
    return [
        match
        for first, last in speech.breaths
        for match in laid(sought, speech.words[first:last], weights[first:last] if weights else None, most)
    ]


@settings(max_examples=300)
@example(
    [("thank", None), ("thank", 0.2), ("thank", None), ("thank", None), *[("thank", 0.2)] * 3, ("bye", None)],
    "_ you for calling so much bye",
    Tolerance.LOOSE,
    False,
)
@given(SPOKEN, st.sampled_from(WANTED), st.sampled_from(Tolerance), st.booleans())
def test_looking_only_where_the_sieve_says_misses_nothing(
    spoken: list[tuple[str, float | None]], wanted: str, tolerance: Tolerance, by_machine: bool
) -> None:
    sought, speech = phrase(wanted, tolerance), Speech(spoken_words(spoken), Doubt(by_machine=by_machine))
    as_heard = list(apart(everywhere(speech, sought, None, sought.allowed)))
    as_may_be = list(apart(everywhere(speech, sought, speech.weights, sought.allowed)))

    assert list(speech.heard(sought)) == as_heard
    assert list(speech.perhaps(sought)) == (as_may_be if set(speech.weights) != {1.0} else [])


REPEATED = st.lists(
    st.tuples(st.sampled_from(["you", "you", "bye", "so", "um"]), st.sampled_from([0.0, 0.5]), st.sampled_from([0.0, 0.5, 2.0])),
    max_size=20,
)
AT_ONCE = [(text, 0.0, 0.0) for text in ("you", "bye", "so", "um", "um")]


@settings(max_examples=300)
@example(AT_ONCE, "you bye so _")
@given(
    REPEATED, st.sampled_from(["you bye", "you bye so _", "(you) (so) bye", "you ... bye so", "you so bye you so bye", "(so)"])
)
def test_what_is_said_word_for_word_is_where_laying_finds_it(spoken: list[tuple[str, float, float]], wanted: str) -> None:
    """Also where words take no time, or overlap."""
    starts = accumulate(begins for _, begins, _ in spoken)
    timed = zip(spoken, starts, strict=True)
    said = [HeardWord(text, Seconds(start), Seconds(start + takes), Speaker.AGENT) for (text, _, takes), start in timed]
    sought, speech = phrase(wanted), Speech(said)

    assert list(speech.heard(sought)) == list(apart(everywhere(speech, sought, None, sought.allowed)))


@settings(max_examples=200)
@example([("you", None), *[("thank", None)] * 4, ("bye", None)], "you ... bye", 0, 7)
@given(SPOKEN, st.sampled_from(WANTED), st.integers(0, 30), st.integers(0, 60))
def test_the_nearest_miss_is_the_nearest_there_is(
    spoken: list[tuple[str, float | None]], wanted: str, start: int, length: int
) -> None:
    sought, speech = phrase(wanted), Speech(spoken_words(spoken))
    ground = spans([Span(Seconds(start), Seconds(start + length))])
    inside = Speech([it for it in speech.words if start <= it.start < start + length])
    nearest = speech.nearest(sought, list(speech.ranges(ground)))
    known = [match.cost for match in everywhere(inside, sought, None, 99.0)]

    assert (None if nearest is None else nearest.cost) == (min(known) if known else None)
    assert nearest is None or set(nearest.words) <= set(inside.words)


@given(st.text(max_size=40), st.text(max_size=60))
def test_whatever_is_written_and_said_a_search_ends_with_words_that_were_said(wanted: str, said: str) -> None:
    spoken = words(said.replace("@", " "))
    for match in Speech(spoken).heard(phrase(wanted)):
        assert match.words
        assert match.span.start <= match.span.end


def test_a_phrase_may_hide_in_words_that_were_badly_heard() -> None:
    assert not found("thank you for calling", "when they give her go")
    assert may_be("thank you for calling", "when@0.3 they@0.4 give@0.2 her@0.5 go@0.4")
    assert may_be("thank you for calling", "thank you fur@0.5 calling")


def test_a_phrase_does_not_hide_in_words_that_were_well_heard() -> None:
    assert not may_be("thank you for calling", "when they give her go")
    assert not may_be("thank you for calling", "when@0.3 they give her go")


def test_a_short_phrase_does_not_hide_in_lost_words_alone() -> None:
    assert not may_be("security code", "unk@0 unk@0 for calling")
    assert may_be("thanks for calling", "unk@0 unk@0 calling")


def test_it_does_not_hide_where_there_is_no_room_for_it() -> None:
    assert not may_be("thank you for calling", "your card is gone bye@0.2")


def test_a_machine_that_gives_no_confidence_is_believed_less_than_a_person() -> None:
    assert may_be("thank you for calling", "thank you for falling", None, by_machine=True)
    assert not may_be("thank you for calling", "thank you for everything", None)


def test_the_nearest_miss_is_the_place_most_like_it() -> None:
    miss = Speech(words("please call us back thank you for everything bye")).nearest(phrase("thank you for calling"), [(0, 9)])

    assert miss is not None
    assert [it.text for it in miss.words][:3] == ["thank", "you", "for"]


def test_there_is_no_nearest_miss_in_silence() -> None:
    assert Speech([]).nearest(phrase("thank you for calling"), []) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("calls", "calling"),
        ("transfer", "transferred"),
        ("cards", "card"),
        ("счета", "счетом"),
        ("звонок", "звонок"),
        ("договору", "договоре"),
    ],
)
def test_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


WORD = st.text(alphabet="abcdeпривет核实您", min_size=1, max_size=9)


@given(WORD, WORD)
def test_unlikeness_is_a_share_and_nothing_is_unlike_itself(one: str, other: str) -> None:
    assert 0.0 <= unlikeness(one, other) <= OTHER
    assert unlikeness(one, one) == 0.0
