"""A person is found by their number however it is written, and others are not taken for them."""

from __future__ import annotations

import pytest

from engine.privacy.person import Person

ANNA = Person.of("+77017654321")


@pytest.mark.parametrize(
    "written",
    [
        "+77017654321", "77017654321", "87017654321", "7017654321", "+7 701 765-43-21", "8 (701) 765 43 21", "0077017654321",
        "sip:+77017654321@sbc.example", "<tel:+7-701-765-43-21>", "call_87017654321_2030.wav", "701\u00a0765\u201343\u201321",
    ],
)  # fmt: skip
def test_a_number_is_found_in_every_spelling(written: str) -> None:
    assert ANNA.is_named_in(written)
    assert ANNA.octets.search(written.encode())


@pytest.mark.parametrize("written", ["+77017654322", "177017654321", "770176543210", "701 765 43", "", "K-77"])
def test_another_number_is_not_theirs(written: str) -> None:
    assert not ANNA.is_named_in(written)


def test_a_key_is_found_where_it_stands_alone() -> None:
    anna = Person.of("K-113")

    assert all(anna.is_named_in(it) for it in ("K-113", "k-113", "customer=K-113;"))
    assert not any(anna.is_named_in(it) for it in ("K-1130", "AK-113", "K113"))
    assert anna.octets.search(b'{"customer":"K-113"}')


def test_a_person_does_not_stand_in_what_is_printed_of_them() -> None:
    assert "701" not in repr(ANNA)


def test_digits_just_beside_do_not_hide_a_number_in_a_file() -> None:
    assert ANNA.octets.search(b"\x0177017654321" + b"87019999999")
