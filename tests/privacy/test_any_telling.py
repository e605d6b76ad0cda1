"""Any number, told in any way, over any turns: nothing of it stays readable, and nothing else is lost."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN, Transcript, Word
from engine.core.units import Language, Seconds
from engine.privacy import MASK, Kind, Turn, find_spans, mask_call, mask_text, time_spans
from engine.testing.spoken_numbers import CLEAR, Manners, Told, dialogue, rendered, styles
from engine.testing.spoken_words import TELLINGS

BUSY = Manners(filler=0.2, correction=0.1, other_turn=0.3, read_back=0.2)
NOISY = Manners(filler=0.2, correction=0.1, other_turn=0.3, read_back=0.2, error=0.1)

languages = st.sampled_from([ENGLISH, RUSSIAN, CHINESE])
seeds = st.integers(0, 2**32).map(Random)
cards = st.text("0123456789", min_size=13, max_size=19)
pins = st.text("0123456789", min_size=4, max_size=6)
codes = st.text("0123456789", min_size=3, max_size=4)


@st.composite
def dialogues(draw: DrawFn, digits: st.SearchStrategy[str], kind: Kind, manners: Manners) -> Told:
    language = draw(languages)
    return dialogue(draw(digits), kind, language, draw(st.sampled_from(styles(language))), draw(seeds), manners)


def readable(told: Told) -> list[tuple[int, int]]:
    """Words of the secret that no span covers."""
    covered = _covered(told.turns)
    return [place for place in told.secret if place not in covered]


def _covered(turns: tuple[Turn, ...]) -> set[tuple[int, int]]:
    return {(span.turn, word) for span in find_spans(turns) for word in range(span.first, span.last + 1)}


@settings(max_examples=300)
@given(dialogues(cards, Kind.CARD, BUSY) | dialogues(cards, Kind.CARD, CLEAR))
def test_no_word_of_a_card_number_is_readable(told: Told) -> None:
    assert readable(told) == []


@settings(max_examples=300)
@given(dialogues(pins, Kind.PIN, BUSY) | dialogues(codes, Kind.SECURITY_CODE, BUSY) | dialogues(pins, Kind.ONE_TIME_CODE, BUSY))
def test_no_word_of_a_short_secret_is_readable(told: Told) -> None:
    assert readable(told) == []


@settings(max_examples=200)
@given(dialogues(cards, Kind.CARD, NOISY))
def test_misheard_digits_leave_less_than_four_in_a_row(told: Told) -> None:
    left = readable(told)
    in_a_row = [place for place in left if {(place[0], place[1] + step) for step in range(4)} <= set(left)]

    assert in_a_row == []
    assert not any(sum(letter.isdigit() for letter in told.turns[turn].said.words[word].text) >= 4 for turn, word in left)


@settings(max_examples=200)
@given(dialogues(cards, Kind.CARD, BUSY) | dialogues(pins, Kind.PIN, BUSY))
def test_nothing_outside_the_number_is_masked(told: Told) -> None:
    assert _covered(told.turns).isdisjoint(told.innocent)


@settings(max_examples=200)
@given(dialogues(cards, Kind.CARD, NOISY) | dialogues(pins, Kind.PIN, NOISY))
def test_masking_what_is_masked_changes_nothing(told: Told) -> None:
    masked = mask_call(told.turns).turns

    assert mask_call(masked).turns == masked


@st.composite
def babble(draw: DrawFn) -> tuple[Turn, ...]:
    """Turns of anything that means something to the masking, in no order."""
    some = "one two four oh double hundred thousand for to 4111 27 1,250 and uh no dollars weeks pin card number at branch • is how much"
    words = st.sampled_from(
        [*some.split(), "security code", "пин", "два", "раза", "сто", "рублей", "密码", "三", "个", "零", "块", "hello"]
    )
    lines = draw(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.lists(words, max_size=9)), max_size=7))
    return tuple(Turn(who, Transcript(_timed(line, place))) for place, (who, line) in enumerate(lines))


def _timed(line: list[str], place: int) -> tuple[Word, ...]:
    return tuple(Word(text, Seconds(place * 10 + at), Seconds(place * 10 + at + 0.9)) for at, text in enumerate(line))


@settings(max_examples=500)
@given(babble())
def test_masking_babble_twice_changes_nothing(turns: tuple[Turn, ...]) -> None:
    masked = mask_call(turns).turns

    assert mask_call(masked).turns == masked


@given(babble())
def test_spans_lie_in_their_turns_in_order_and_apart(turns: tuple[Turn, ...]) -> None:
    spans = find_spans(turns)
    places = [((span.turn, span.first, span.start), (span.turn, span.last, span.end)) for span in spans]

    assert all(begin < end for begin, end in places)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(places))
    assert all(span.last < len(turns[span.turn].said.words) for span in spans)


@given(babble(), st.floats(0, 1))
def test_the_times_of_spans_cover_their_words_and_lie_apart(turns: tuple[Turn, ...], margin: float) -> None:
    spans = find_spans(turns)
    times = time_spans(turns, spans, Seconds(margin))
    words = [word for span in spans for word in turns[span.turn].said.words[span.first : span.last + 1]]

    assert all(any(it.start <= max(word.start - margin, 0) and word.end + margin <= it.end for it in times) for word in words)
    assert all(before.end < after.start for before, after in pairwise(times))


@settings(max_examples=200)
@given(dialogues(cards, Kind.CARD, BUSY) | dialogues(pins, Kind.PIN, BUSY))
def test_no_numeral_of_a_secret_is_written_in_what_is_masked(told: Told) -> None:
    numerals = {word for turn, place in told.secret if (word := told.turns[turn].said.words[place].text).isdigit()}

    assert not any(word.text in numerals for turn in mask_call(told.turns).turns for word in turn.said.words)


@given(cards, languages, seeds, st.data())
def test_a_card_that_nobody_asked_for_is_masked_too(digits: str, language: Language, random: Random, data: st.DataObject) -> None:
    style = data.draw(st.sampled_from(styles(language)))
    text = " ".join(rendered(digits, language, style, random))

    assert mask_text(text) == MASK


@given(st.text())
def test_any_text_can_be_masked(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


def test_every_language_has_names_for_every_digit_and_every_kind_of_secret() -> None:
    asked = {frozenset(telling.questions) for telling in TELLINGS.values()}

    assert asked == {frozenset(set(Kind) - {Kind.UNKNOWN, Kind.IDENTITY})}
    assert {len(telling.digits) for telling in TELLINGS.values()} == {10}
