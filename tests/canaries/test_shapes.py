"""A number is found in whatever form it is written, and none is found where there is none."""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.testing.canaries.shapes import Canary, Shapes, words_of

CARD = Canary("card", "4539578763621486", spoken=True)
PIN = Canary("pin", "2589")
SHAPES = Shapes([CARD, PIN])
NOISE = Random(7).randbytes(3_000)

FORMS = {
    "plain": CARD.digits.encode(),
    "most of it": CARD.digits[3:13].encode(),
    "groups": " ".join(CARD.digits[at : at + 4] for at in range(0, 16, 4)).encode(),
    "dashes": "-".join(CARD.digits[at : at + 4] for at in range(0, 16, 4)).encode(),
    "spaced": " ".join(CARD.digits).encode(),
    "a list": str([int(digit) for digit in CARD.digits]).encode(),
    "a list without spaces": ",".join(CARD.digits).encode(),
    "UTF-16": CARD.digits.encode("utf-16-le"),
    "UTF-16, other end": CARD.digits.encode("utf-16-be"),
    "UTF-32": CARD.digits.encode("utf-32-le"),
    "packed": bytes.fromhex(CARD.digits),
    "packed, swapped": bytes(int(CARD.digits[at + 1] + CARD.digits[at], 16) for at in range(0, 16, 2)),
    "bytes": bytes(map(int, CARD.digits)),
    "shorts": b"".join(int(digit).to_bytes(2, "little") for digit in CARD.digits),
    "ints": b"".join(int(digit).to_bytes(4, "little") for digit in CARD.digits),
    "longs": b"".join(int(digit).to_bytes(8, "little") for digit in CARD.digits),
    "codes as longs": b"".join(ord(digit).to_bytes(8, "little") for digit in CARD.digits),
    "AudioSocket's frames": b"".join(b"\x03\x00\x01" + digit.encode() for digit in CARD.digits),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_number_is_found_in_every_form(form: str) -> None:
    for octets in (FORMS[form], NOISE + FORMS[form] + NOISE, b"\0" * 9 + FORMS[form]):
        assert {found.slot for found in SHAPES.in_memory(octets)} == {"card"}, form


@pytest.mark.parametrize("border", [0, 1, 7, 40, 63])
def test_a_number_across_the_border_of_two_blocks_is_found(border: int) -> None:
    octets = bytearray((1 << 20) + 1_000)
    at = (1 << 20) - border
    octets[at : at + 64] = FORMS["ints"]

    assert {found.place for found in SHAPES.in_memory(bytes(octets))} >= {at}


@pytest.mark.parametrize(
    "line",
    [
        '{{"event": "dtmf", "dtmf": {{"digit": "{}"}}}}',
        '{{\\"type\\":\\"KeyPressed\\",\\"key\\":\\"{}\\"}}',
        "Signal={}\r\nDuration=100",
        "DTMF_END digit:{} channel_id:1",
    ],
)
def test_a_number_is_found_where_each_key_has_its_own_line(line: str) -> None:
    text = "\n".join(line.format(digit) for digit in CARD.digits).encode()

    assert {(found.slot, found.shape) for found in SHAPES.sought(text)} == {("card", "apart")}


def test_spoken_words_are_found() -> None:
    assert {found.slot for found in SHAPES.sought(f"she said {words_of('9578')} please".encode())} == {"card"}


@pytest.mark.parametrize("text", [b"the PIN is 2589.", b'"2589"', b"pin\x002589\n", b"[2589, 1]"])
def test_a_short_number_is_found_where_it_stands_alone(text: bytes) -> None:
    assert "pin" in {found.slot for found in SHAPES.sought(text)}


@pytest.mark.parametrize("text", [b"1258977", b"took 0.25890 s", b"at 12.2589", b"call 25890"])
def test_a_short_number_within_another_is_chance(text: bytes) -> None:
    assert SHAPES.sought(text) == []


@given(st.binary(max_size=40))
def test_nothing_is_too_short_to_be_searched(octets: bytes) -> None:
    assert SHAPES.in_memory(octets) == []


def test_in_noise_nothing_is_found() -> None:
    assert SHAPES.in_memory(os.urandom(3_000_000)) == []
    assert SHAPES.in_memory(bytes(2_000_000)) == []


@given(st.integers(8, 19), st.booleans())
def test_numbers_that_are_made_up_have_no_zero_and_a_check_digit_where_asked_for(length: int, luhn: bool) -> None:
    made = Canary.made("card", length, luhn=luhn)
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(made.digits))]

    assert len(made.digits) == length
    assert "0" not in made.digits
    assert not luhn or sum(it - 9 * (it > 9) for it in doubled) % 10 == 0


def test_what_is_found_does_not_tell_the_number() -> None:
    found = SHAPES.sought(FORMS["plain"])

    assert CARD.digits not in repr(found) + repr(CARD)
