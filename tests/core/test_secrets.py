from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import PrivacyError
from engine.core.secrets import KEYS, SecretDigits

CARD = b"4539578763621486"
digits = st.text("0123456789", min_size=1, max_size=32)


def keyed(keys: bytes, capacity: int = 64) -> SecretDigits:
    secret = SecretDigits(capacity)
    for key in keys:
        secret.push(key)
    return secret


@pytest.mark.parametrize("show", [str, repr, format, "{:>20}".format, "{!r:s}".format, "%s".__mod__])
def test_however_it_is_written_it_shows_nothing(show: Callable[[SecretDigits], str]) -> None:
    assert show(keyed(CARD)).strip() == "•••"


def test_inside_of_something_else_it_shows_nothing_either() -> None:
    assert "4539" not in repr([{"card": keyed(CARD)}])


@pytest.mark.parametrize(
    "leak",
    [pickle.dumps, copy.copy, copy.deepcopy, hash, lambda secret: secret == keyed(CARD), lambda secret: {secret}],
)
def test_it_can_not_be_pickled_copied_compared_or_hashed(leak: Callable[[SecretDigits], Any]) -> None:
    with pytest.raises(PrivacyError, match="can't be pickled, copied, compared or hashed"):
        leak(keyed(CARD))


def test_it_is_no_json() -> None:
    with pytest.raises(TypeError):
        json.dumps(keyed(CARD))


def test_it_has_no_attributes_to_keep_notes_in() -> None:
    with pytest.raises(AttributeError):
        keyed(CARD).note = "4539"  # type: ignore[attr-defined]


def test_closing_zeroes_the_buffer_and_whatever_looks_into_it() -> None:
    secret = keyed(CARD)
    view = secret.reveal()
    assert bytes(view) == CARD

    secret.close()
    assert bytes(view) == bytes(len(CARD))
    assert len(secret) == 0


def test_leaving_its_context_zeroes_it_even_when_something_went_wrong() -> None:
    secret = keyed(CARD)
    view = secret.reveal()
    with pytest.raises(RuntimeError), secret:
        raise RuntimeError

    assert bytes(view) == bytes(len(CARD))


def test_nobody_can_write_through_what_it_reveals() -> None:
    with pytest.raises(TypeError):
        keyed(CARD).reveal()[0] = 0


def test_a_key_too_many_is_refused_and_not_told() -> None:
    secret = keyed(b"12", capacity=2)

    with pytest.raises(PrivacyError, match=r"^expected at most 2 secret digits, found one more$"):
        secret.push(ord("7"))
    assert bytes(secret.reveal()) == b"12"


@pytest.mark.parametrize("key", [0, ord("E"), ord("a"), 255, -1, 256])
def test_what_is_no_key_of_the_pad_is_refused_and_not_told(key: int) -> None:
    with pytest.raises(PrivacyError, match=r"^expected one of the sixteen keys of the pad, found another byte$"):
        SecretDigits().push(key)


def test_all_sixteen_keys_are_taken() -> None:
    assert bytes(keyed(KEYS.encode()).reveal()) == KEYS.encode()


@pytest.mark.parametrize("number", [b"4539578763621486", b"79927398713", b"0", b"18"])
def test_a_right_check_digit_passes(number: bytes) -> None:
    assert keyed(number).passes_luhn()


@pytest.mark.parametrize("number", [b"4539578763621487", b"79927398710", b"", b"4539#", b"1*", b"A"])
def test_a_wrong_check_digit_or_what_is_no_number_does_not(number: bytes) -> None:
    assert not keyed(number).passes_luhn()


@given(digits)
def test_exactly_one_of_ten_last_digits_passes(number: str) -> None:
    assert sum(keyed(f"{number}{last}".encode()).passes_luhn() for last in range(10)) == 1


@given(digits, st.integers(0, 31), st.integers(1, 9))
def test_a_single_wrong_digit_is_always_found(number: str, place: int, change: int) -> None:
    last = next(last for last in range(10) if keyed(f"{number}{last}".encode()).passes_luhn())
    right = f"{number}{last}"
    place %= len(right)
    wrong = f"{right[:place]}{(int(right[place]) + change) % 10}{right[place + 1 :]}"

    assert not keyed(wrong.encode()).passes_luhn()
