"""The parts of the moonshine back end that need no model."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asr.backends._moonshine.branching import CLOSE, branches, ranked, rival
from engine.asr.backends._moonshine.digit_ear import PAUSE, likeliest, near, scores
from engine.asr.backends._moonshine.guards import Nothing, Reading, nothing_said, too_quiet
from engine.asr.backends._moonshine.network import Row
from engine.asr.backends._moonshine.segments import LONGEST, SHORTEST, pieces
from engine.asr.backends._moonshine.sound import Heard
from engine.asr.backends._moonshine.steering import Chosen, Freely, Leaning, PhraseTrie, Within
from engine.asr.backends._moonshine.vocabulary import END, Vocabulary
from engine.asr.backends._moonshine.words import Said, digits, placed, said
from engine.asr.grammars import Lexicon, TokenAutomaton
from engine.core.errors import ModelNotFound

RATE = 16_000
TOKENS = [b"<unk>", b"<s>", b"</s>", *(bytes([byte]) for byte in range(256))]
TOKENS += [
    token.encode() for token in ("▁t", "▁to", "he", "n", "▁the", "▁ten", "▁", "t", "o", "h", "e", ",", "5", "▁o", "▁on", "▁one")
]


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(TOKENS)


def speech_like(seconds: float = 2.0, level: float = 0.2) -> np.ndarray:
    """Syllables of many harmonics: 250 ms of voice, 150 ms of almost nothing."""
    time = np.arange(int(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * math.pi * 130 * harmonic * time) / harmonic for harmonic in range(1, 25))
    return (level * voice * np.where(time % 0.4 < 0.25, 1.0, 0.002)).astype(np.float32)


SURE = Reading("Block my card, please.", -0.1, -0.05)


def packed(tokens: list[bytes]) -> bytes:
    def one(token: bytes) -> bytes:
        length = len(token)
        return (bytes([length]) if length < 128 else bytes([length % 128 + 128, length // 128])) + token

    return b"".join(map(one, tokens))


def test_the_tokenizer_file_is_read_with_short_long_and_empty_tokens(tmp_path: Path) -> None:
    tokens = [b"", b"a", "▁b".encode(), b"x" * 300]
    (tmp_path / "tokenizer.bin").write_bytes(packed(tokens))

    assert Vocabulary.read(tmp_path / "tokenizer.bin").tokens == tuple(tokens)


def test_a_tokenizer_file_that_ends_inside_a_token_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.bin").write_bytes(packed([b"abc"])[:-1])

    with pytest.raises(ModelNotFound, match="1 bytes too few"):
        Vocabulary.read(tmp_path / "tokenizer.bin")


def test_a_text_is_spelled_with_the_earliest_merges_and_read_back(vocabulary: Vocabulary) -> None:
    ids = vocabulary.ids("the ten")

    assert [vocabulary.tokens[id].decode() for id in ids] == ["▁the", "▁t", "e", "n"]
    assert vocabulary.text(ids) == " the ten"


def test_a_letter_that_no_token_has_is_refused(vocabulary: Vocabulary) -> None:
    assert not vocabulary.can_write("日")
    with pytest.raises(ValueError, match="日"):
        vocabulary.ids("日")


def test_words_begin_at_spaces_and_carry_the_sum_of_their_tokens(vocabulary: Vocabulary) -> None:
    ids = [*vocabulary.ids("to"), *vocabulary.ids("ten"), END]
    words = said([Chosen(id, -0.5) for id in ids], vocabulary)

    assert [word.text for word in words] == ["to", "ten"]
    assert [word.logprob for word in words] == [-0.5, -1.5]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Five, two.", "five two"),
        ("526", "five two six"),
        ("double seven", "seven seven"),
        ("triple 5 oh", "five five five zero"),
        ("For-to", "four two"),
    ],
)
def test_every_digit_is_one_word(text: str, spoken: str) -> None:
    words = digits([Said(word, -0.1) for word in text.split()])

    assert " ".join(word.text for word in words) == spoken


def test_words_lie_in_order_on_the_loud_stretches() -> None:
    quiet = np.zeros(RATE, dtype=np.float32)
    heard = Heard(np.concatenate([quiet, speech_like(2.0), quiet]))
    words = placed([Said("block", -1), Said("a", -1), Said("card", -1)], heard)

    assert all(word.start < word.end for word in words)
    assert all(before.end <= after.start + 0.02 for before, after in pairwise(words))
    assert 0.95 <= words[0].start <= 1.1
    assert 2.5 <= words[-1].end <= 3.05


@given(st.integers(0, 60 * 10))
def test_pieces_follow_each_other_and_none_is_longer_than_may_be(tenths: int) -> None:
    sound = np.random.default_rng(tenths).normal(0, 0.1, tenths * RATE // 10).astype(np.float32)
    cuts = list(pieces(sound))

    assert [cut.start for cut in cuts] == [0, *(cut.stop for cut in cuts[:-1])]
    assert cuts[-1].stop == len(sound)
    assert all(cut.stop - cut.start <= LONGEST * RATE for cut in cuts)
    assert all(cut.stop - cut.start >= SHORTEST * RATE for cut in cuts[:-1])


def test_a_long_sound_is_cut_in_its_pause() -> None:
    sound = speech_like(20.0)
    sound[9 * RATE : 10 * RATE] = 0.0

    assert 9 * RATE <= next(pieces(sound)).stop <= 10 * RATE


def test_a_sure_text_on_speech_is_believed() -> None:
    assert nothing_said(Heard(speech_like()), SURE) is None


@pytest.mark.parametrize("text", ["You", "you.", "Thank you for watching!", "♪♪♪", "© transcript Emily Beynon", ""])
def test_what_the_model_makes_up_on_silence_is_nothing(text: str) -> None:
    assert nothing_said(Heard(speech_like()), Reading(text, -0.1, -0.1)) is Nothing.MADE_UP


def test_a_text_that_goes_round_is_nothing() -> None:
    text = "You are part of the world. " * 8

    assert nothing_said(Heard(speech_like(10.0)), Reading(text, -0.1, -0.1)) is Nothing.LOOP


def test_an_unsure_text_on_steady_noise_or_on_a_tone_is_nothing() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 2 * RATE).astype(np.float32)
    time = np.arange(2 * RATE) / RATE
    tone = (0.2 * (np.sin(2 * math.pi * 770 * time) + np.sin(2 * math.pi * 1336 * time)) * (time % 0.2 < 0.1)).astype(np.float32)
    unsure = Reading("I'm going to go.", -0.7, -0.5)

    assert nothing_said(Heard(noise), unsure) is Nothing.NOISE
    assert nothing_said(Heard(tone), unsure) is Nothing.NOISE
    assert nothing_said(Heard(speech_like()), unsure) is None


def test_silence_need_not_be_decoded_and_speech_must() -> None:
    assert too_quiet(Heard(np.zeros(RATE, dtype=np.float32)))
    assert not too_quiet(Heard(speech_like(level=0.02)))


def logprobs(**favoured: float) -> np.ndarray:
    values = np.full(300, -20.0, dtype=np.float32)
    for token, value in favoured.items():
        values[int(token[1:])] = value
    return values


def test_a_free_text_takes_the_likeliest_token() -> None:
    chosen = Freely().choose(logprobs(t7=-0.1, t9=-2.0))

    assert chosen == Chosen(7, pytest.approx(-0.1), second=9, behind=pytest.approx(1.9))


def test_a_beginning_that_is_given_is_said_first_at_its_natural_probability() -> None:
    leader = Freely((9,))

    assert leader.choose(logprobs(t7=-0.1, t9=-2.0)) == Chosen(9, pytest.approx(-2.0))
    assert leader.choose(logprobs(t7=-0.1, t9=-2.0)).token == 7


def written(*chosen: Chosen) -> Row:
    return Row(0, Freely(), 10, list(chosen))


def test_where_the_decoder_hesitated_its_second_choice_is_followed() -> None:
    greedy = written(
        Chosen(7, -0.1, second=8, behind=4.0), Chosen(9, -0.6, second=11, behind=0.2), Chosen(5, 0.0, second=6, behind=9.0)
    )

    first, second = branches(greedy)
    assert [first.steering.choose(logprobs(t3=-0.1)).token for _ in range(3)] == [7, 11, 3]
    assert [second.steering.choose(logprobs(t3=-0.1)).token for _ in range(2)] == [8, 3]


def test_spellings_of_the_same_words_are_one_reading_and_may_outweigh_the_greedy_text() -> None:
    greedy, comma, stop = written(Chosen(31, -1.0)), written(Chosen(32, -1.2)), written(Chosen(33, -1.3))
    words = {31: "cart", 32: "card", 33: "card"}
    choices = ranked([greedy, comma, stop], lambda row: words[row.tokens[0]])

    assert [choice.row for choice in choices] == [comma, greedy]
    assert rival(choices) == pytest.approx(math.log(math.exp(-1.2) + math.exp(-1.3)) + 1.0)


def test_the_same_text_found_twice_counts_once() -> None:
    choices = ranked([written(Chosen(31, -1.0)), written(Chosen(31, -1.0))], lambda row: "card")

    assert [choice.logprob for choice in choices] == [pytest.approx(-1.0)]
    assert rival(choices) == CLOSE


def test_a_grammar_keeps_the_text_inside_and_tells_how_unwilling_the_model_was() -> None:
    inside = Within(TokenAutomaton(Lexicon(words="a"), lambda text: tuple(ord(letter) for letter in f" {text}"), END))
    chosen = inside.choose(logprobs(t7=-0.1, t32=-3.0))

    assert chosen.token == ord(" ")
    assert chosen.allowed == pytest.approx(-3.0, abs=0.01)


def test_a_phrase_is_leaned_towards_only_as_far_as_the_bonus_goes() -> None:
    phrases = PhraseTrie.of([(9, 11)])

    assert Leaning(phrases, 2.0).choose(logprobs(t7=-0.5, t9=-2.0)).token == 9
    assert Leaning(phrases, 2.0).choose(logprobs(t7=-0.5, t9=-3.0)).token == 7


def test_a_phrase_that_was_begun_is_gone_on_with() -> None:
    leaning = Leaning(PhraseTrie.of([(9, 11)]), 2.0)
    leaning.choose(logprobs(t9=-0.1))

    assert leaning.choose(logprobs(t7=-0.5, t11=-2.0)).token == 11


def frames(states: list[int]) -> np.ndarray:
    heard = np.full((len(states), PAUSE + 1), -6.0, dtype=np.float32)
    heard[np.arange(len(states)), states] = -0.05
    return heard


def test_the_ear_reads_runs_of_frames_as_digits() -> None:
    heard = frames([PAUSE] * 5 + [3] * 8 + [4] * 8 + [PAUSE] * 4 + [4] * 8 + [PAUSE] * 3)

    assert likeliest(heard) == "344"


def test_a_flicker_is_no_digit() -> None:
    assert likeliest(frames([PAUSE] * 5 + [7] + [PAUSE] * 5)) == ""


def test_the_string_that_was_heard_scores_best_among_its_neighbours() -> None:
    heard = frames([PAUSE] * 5 + [3] * 8 + [4] * 8 + [PAUSE] * 4 + [4] * 8 + [PAUSE] * 3)
    candidates = sorted(near("344"))

    assert candidates[int(np.argmax(scores(heard, candidates)))] == "344"


def test_neighbours_differ_in_one_digit_or_have_one_more_or_less() -> None:
    around = near("12")

    assert {"12", "1", "2", "13", "92", "012", "122"} <= around
    assert all(1 <= len(string) <= 3 for string in around)
    assert "" not in near("1")
