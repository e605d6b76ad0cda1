from dataclasses import replace

from engine.asr.two_pass import TwoPassPolicy, choose, credible, wants_second
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Seconds

POLICY = TwoPassPolicy()
LONG = Seconds(4.0)


def heard(text: str, sureness: float | None = None, by: str = "first") -> Transcript:
    words = tuple(Word(word, Seconds(0.0), Seconds(0.0)) for word in text.split())
    return Transcript(words, confidence=None if sureness is None else Confidence(sureness), recogniser=by)


class Agreeing:
    def turn(self, chosen: Confidence, other: Confidence, *, agree: bool) -> Confidence:
        return Confidence(0.97 if agree else 0.4)


def test_a_sure_first_pass_stands_alone() -> None:
    assert not wants_second(heard("my balance", 0.95), LONG, POLICY)


def test_an_unsure_one_is_asked_again_while_there_is_time() -> None:
    assert wants_second(heard("my balance", 0.6), Seconds(0.8), POLICY)
    assert not wants_second(heard("my balance", 0.6), Seconds(0.3), POLICY)


def test_unknown_sureness_is_unsure() -> None:
    assert wants_second(heard("my balance"), LONG, POLICY)


def test_agreement_makes_surer_and_keeps_the_first_words() -> None:
    chosen = choose(heard("my balance", 0.6), heard("My balance.", 0.7, "second"), LONG, POLICY, Agreeing())

    assert chosen.text == "my balance"
    assert chosen.confidence == 0.97


def test_the_surer_one_speaks_and_the_other_is_kept() -> None:
    chosen = choose(heard("by balance", 0.3), heard("my balance", 0.7, "second"), LONG, POLICY, Agreeing())

    assert chosen.text == "my balance"
    assert chosen.alternatives == ("by balance",)
    assert chosen.confidence == 0.4


def test_the_first_stays_where_it_is_the_surer_one() -> None:
    chosen = choose(heard("my balance", 0.8), heard("buy ballads", 0.2, "second"), LONG, POLICY)

    assert chosen.text == "my balance"
    assert chosen.alternatives == ("buy ballads",)


def test_the_first_may_have_to_be_surer_by_some_margin() -> None:
    asked = TwoPassPolicy(surer_by=0.2)
    second = heard("buy ballads", 0.5, "second")

    assert choose(heard("my balance", 0.6), second, LONG, asked).recogniser == "second"
    assert choose(heard("my balance", 0.8), second, LONG, asked).recogniser == "first"


def test_the_larger_model_speaks_where_nobody_knows_how_sure_they_are() -> None:
    assert choose(heard("buy balance"), heard("my balance", by="second"), LONG, POLICY).recogniser == "second"


def test_a_loop_never_replaces_words() -> None:
    first = heard("six one one", 0.1)
    loop = heard("six one " * 12, 0.99, "second")

    assert choose(first, loop, Seconds(30.0), POLICY) == first


def test_nothing_never_replaces_words() -> None:
    first = heard("six one one", 0.1)

    assert choose(first, heard("", by="second"), LONG, POLICY) == first


def test_a_text_of_quite_another_length_is_not_credible() -> None:
    assert not credible(heard("yes"), heard("I would like to know about my new credit card limit"), LONG, POLICY)
    assert not credible(heard("I would like to know about my new credit card limit"), heard("you"), LONG, POLICY)
    assert credible(heard("yes"), heard("yes please"), LONG, POLICY)


def test_words_may_come_where_the_first_pass_heard_none() -> None:
    assert choose(heard(""), heard("operator", 0.8, "second"), LONG, POLICY).text == "operator"


def test_every_other_reading_is_kept_once_the_other_pass_first() -> None:
    first = replace(heard("my car is lost", 0.4), alternatives=("My car is lost.", "my card has lost"))
    second = replace(heard("my card is lost", 0.6, "second"), alternatives=("my cart is lost",))

    assert choose(first, second, LONG, POLICY).alternatives == ("my car is lost", "my cart is lost", "my card has lost")


def test_where_both_agree_their_other_readings_stay() -> None:
    first = replace(heard("my card is lost", 0.4), alternatives=("my car is lost",))
    second = replace(heard("My card is lost.", 0.6, "second"), alternatives=("my card is last",))

    assert choose(first, second, LONG, POLICY).alternatives == ("my car is lost", "my card is last")
