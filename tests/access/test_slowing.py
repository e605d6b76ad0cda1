"""Guessing passwords is slowed; nobody is kept out for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.access.slowing import Slowing
from engine.core.units import Seconds

HERE, THERE = "10.0.0.1", "203.0.113.9"
DAY = Seconds(86_400.0)


def guesses(slowing: Slowing, name: str, address: str, within: Seconds, at: float = 0.0) -> int:
    """How many wrong passwords somebody gets to try who tries whenever they may."""
    now, tried = at, 0
    while now < at + within:
        wait = slowing.attempt(name, address, Seconds(now))
        tried += wait == 0
        now += max(wait, 0.001)
    return tried


def test_a_few_mistakes_cost_nothing() -> None:
    slowing = Slowing()

    assert [slowing.attempt("anna", HERE, Seconds(0.0)) for _ in range(5)] == [0.0] * 5
    assert slowing.attempt("anna", HERE, Seconds(0.0)) == 1.0


def test_the_wait_doubles_up_to_five_minutes() -> None:
    slowing = Slowing()
    now, waits = 0.0, []
    for _ in range(20):
        while (wait := slowing.attempt("anna", HERE, Seconds(now))) > 0:
            waits.append(round(wait))
            now += wait

    assert waits[:9] == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert set(waits[9:]) == {300}


def test_a_day_of_guessing_is_some_hundred_guesses() -> None:
    assert guesses(Slowing(), "anna", HERE, DAY) < 310


def test_who_tries_many_names_from_one_place_is_slowed_too() -> None:
    slowing, now, tried = Slowing(), 0.0, 0
    for number in range(1000):
        wait = slowing.attempt(f"name{number}", THERE, Seconds(now))
        tried += wait == 0
        now += 1.0

    assert tried < 70


def test_who_tries_one_name_from_many_places_is_slowed_too() -> None:
    slowing = Slowing()
    tried = sum(slowing.attempt("anna", f"203.0.113.{number}", Seconds(number / 10)) == 0 for number in range(250))

    assert tried <= 25


def test_who_has_signed_in_here_before_is_not_held_up_by_strangers_elsewhere() -> None:
    slowing = Slowing()
    slowing.attempt("anna", HERE, Seconds(0.0))
    slowing.succeeded("anna", HERE)
    guesses(slowing, "anna", THERE, Seconds(3600.0))

    assert slowing.attempt("anna", HERE, Seconds(3600.0)) == 0.0


def test_who_has_never_signed_in_waits_half_a_minute_at_most_for_what_others_did() -> None:
    slowing = Slowing()
    guesses(slowing, "anna", THERE, Seconds(3600.0))

    assert 0.0 <= slowing.attempt("anna", HERE, Seconds(3600.0)) <= 30.0


def test_one_who_knows_a_password_of_their_own_does_not_clear_what_their_guesses_cost() -> None:
    slowing, tried = Slowing(), 0
    for number in range(200):
        tried += slowing.attempt(f"victim{number}", THERE, Seconds(number)) == 0
        if slowing.attempt("mallory", THERE, Seconds(number)) == 0:
            slowing.succeeded("mallory", THERE)

    assert tried < 40


def test_an_hour_of_rest_forgives() -> None:
    slowing = Slowing()
    guesses(slowing, "anna", HERE, Seconds(600.0))

    assert slowing.attempt("anna", HERE, Seconds(600.0 + 300.0 + 3600.0)) == 0.0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.floats(0, 500), st.booleans()), max_size=60))
def test_no_wait_is_longer_than_five_minutes_whatever_happens(steps: list[tuple[str, str, float, bool]]) -> None:
    slowing, now = Slowing(), 0.0
    for name, address, pause, right in steps:
        now += pause
        wait = slowing.attempt(name, address, Seconds(now))
        if wait == 0 and right:
            slowing.succeeded(name, address)

        assert 0.0 <= wait <= 300.0
