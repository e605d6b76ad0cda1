"""SRTP, against the vectors of the RFC and of libsrtp, and against packets that somebody else made or broke."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.telephony.siprec.srtp import Key, Opener, answer_key, read_key
from engine.testing.siprec_callers import Sealer

_SECRET = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6")
_KEY = Key("1", "AES_CM_128_HMAC_SHA1_80", _SECRET)
_PLAIN = bytes.fromhex("800f1234decafbadcafebabe") + b"\xab" * 16
_SEALED = bytes.fromhex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb")


def _packet(sequence: int, payload: bytes = b"sound") -> bytes:
    return b"\x80\x00" + (sequence % 65_536).to_bytes(2, "big") + bytes(4) + b"ssrc" + payload


def test_the_keys_are_derived_as_in_appendix_b_3_of_the_rfc() -> None:
    opener = Opener(_KEY)

    assert opener._derived(0, 16).hex() == "c61e7a93744f39ee10734afe3ff7a087"
    assert opener._derived(2, 14).hex() == "30cbbc08863d8c85d49db34a9ae1"
    assert opener._derived(1, 20).hex() == "cebe321f6ff7716b6fd4ab49af256a156d38baa4"


def test_libsrtps_packet_is_opened() -> None:
    assert Opener(_KEY).open(_SEALED) == _PLAIN


@pytest.mark.parametrize("place", range(len(_SEALED)))
def test_a_packet_with_one_bit_changed_is_none(place: int) -> None:
    broken = bytearray(_SEALED)
    broken[place] ^= 1

    assert Opener(_KEY).open(bytes(broken)) is None


@given(st.lists(st.integers(-30, 30), min_size=1, max_size=40), st.integers(0, 65_535))
def test_numbers_that_begin_anew_are_counted_whatever_the_order(steps: list[int], first: int) -> None:
    sealer, opener = Sealer(_KEY), Opener(_KEY)
    number = first
    opener.open(sealer.seal(_packet(first), first >> 16))
    for step in steps:
        number = max(first, number + 1000 + step)

        assert opener.open(sealer.seal(_packet(number), number >> 16)) == _packet(number)


def test_the_short_tag_and_a_named_key_are_understood() -> None:
    key = Key("1", "AES_CM_128_HMAC_SHA1_32", _SECRET, mki=4)

    sealed = Sealer(key).seal(_packet(7), 0)

    assert len(sealed) == len(_packet(7)) + 4 + 4
    assert Opener(key).open(sealed) == _packet(7)


@given(st.binary(max_size=120))
def test_garbage_is_none(octets: bytes) -> None:
    assert Opener(_KEY).open(octets) is None


def test_the_first_key_that_we_know_is_taken_from_the_offer() -> None:
    inline = base64.b64encode(_SECRET).decode()

    key = read_key(
        ["label:1", f"crypto:1 AEAD_AES_256_GCM inline:{inline}", f"crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{inline}|2^20|1:4"]
    )

    assert key == Key("2", "AES_CM_128_HMAC_SHA1_80", _SECRET, mki=4)
    assert "e1f9" not in repr(key)
    assert answer_key(key, bytes(30)) == f"a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40}"


@pytest.mark.parametrize(
    "line",
    [
        "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:short",
        f"crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'=' * 40}",
        f"crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40} UNENCRYPTED_SRTP",
        f"crypto:1 F8_128_HMAC_SHA1_80 inline:{'A' * 40}",
        "crypto:",
    ],
)
def test_a_key_that_we_can_not_use_is_none(line: str) -> None:
    assert read_key([line]) is None
