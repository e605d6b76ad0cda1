"""What an SBC offers, and what we answer."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import MediaError
from engine.telephony.siprec.description import MOST_LINES, Codec, Ours, read_description, write_answer
from engine.testing.siprec_callers import describe


def _offer(*rows: str) -> bytes:
    return "".join(
        f"{row}\r\n" for row in ("v=0", "o=- 1 1 IN IP4 10.0.0.1", "s=-", "c=IN IP4 10.0.0.1", "t=0 0", *rows)
    ).encode()


def _answer(offer: bytes, *ports: int | None) -> list[str]:
    lines = read_description(offer).lines
    return write_answer(lines, lambda place: ports[place], Ours("10.0.0.9", 1, 2)).decode().splitlines()


def test_the_first_codec_we_know_is_taken_and_keys_with_it() -> None:
    line = read_description(describe([4000, 4002]).encode()).lines[1]

    assert list(line.heard.items()) == [(0, Codec.PCMU), (8, Codec.PCMA)]
    assert line.keys == (101,)
    assert (line.label, line.host, line.port, line.usable, line.paused) == ("2", "127.0.0.1", 4002, True, False)


def test_the_answer_has_a_line_for_each_of_the_offer_in_its_order() -> None:
    offer = _offer(
        "m=audio 4000 RTP/AVP 18 8 101", "a=rtpmap:101 telephone-event/8000", "a=label:a", "a=sendonly",
        "m=video 4002 RTP/AVP 97", "a=rtpmap:97 H264/90000",
        "m=audio 4004 RTP/SAVP 0", "a=label:c",
        "m=audio 4006 RTP/AVP 97", "a=rtpmap:97 opus/48000/2",
        "m=audio 4008 RTP/AVP 0", "a=inactive", "a=label:e",
    )  # fmt: skip

    answer = _answer(offer, 24000, None, None, None, 24002)

    assert [row for row in answer if row[:2] in ("m=", "a=")] == [
        "m=audio 24000 RTP/AVP 8 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=label:a",
        "a=recvonly",
        "m=video 0 RTP/AVP 97",
        "m=audio 0 RTP/SAVP 0",
        "m=audio 0 RTP/AVP 97",
        "m=audio 24002 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=label:e", "a=inactive",
    ]  # fmt: skip
    assert answer[1:4] == ["o=callwright 1 2 IN IP4 10.0.0.9", "s=recording", "c=IN IP4 10.0.0.9"]


def test_encrypted_sound_is_answered_with_a_key_of_ours() -> None:
    key = f"a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40}"

    answer = _answer(
        _offer("m=audio 4000 RTP/SAVP 8", "a=crypto:1 AEAD_AES_128_GCM inline:x", key.replace("AA", "BB"), "a=label:a"), 24000
    )

    assert answer[5:] == ["m=audio 24000 RTP/SAVP 8", "a=rtpmap:8 PCMA/8000", key, "a=label:a", "a=recvonly"]


def test_encrypted_sound_without_a_key_and_unknown_codecs_are_not_usable() -> None:
    lines = read_description(
        _offer("m=audio 4 RTP/SAVP 0", "m=audio 4 RTP/AVP 18", "m=audio 0 RTP/AVP 0", "m=audio 4 RTP/AVP 0")
    ).lines

    assert [line.usable for line in lines] == [False, False, False, True]


@pytest.mark.parametrize(
    ("rows", "paused"),
    [
        (("m=audio 4 RTP/AVP 0", "a=inactive"), True),
        (("m=audio 4 RTP/AVP 0", "a=recvonly"), True),
        (("m=audio 4 RTP/AVP 0", "c=IN IP4 0.0.0.0"), True),
        (("a=inactive", "m=audio 4 RTP/AVP 0"), True),
        (("a=inactive", "m=audio 4 RTP/AVP 0", "a=sendonly"), False),
        (("m=audio 4 RTP/AVP 0",), False),
    ],
)
def test_a_pause_is_told_in_many_ways(rows: tuple[str, ...], paused: bool) -> None:
    assert read_description(_offer(*rows)).lines[0].paused is paused


@pytest.mark.parametrize(
    "octets",
    [b"", b"hello", _offer(), _offer(*["m=audio 4 RTP/AVP 0"] * (MOST_LINES + 1)), _offer("m=audio x RTP/AVP 0"), _offer("m=audio"), b"v=0\n" * 9_000],
)  # fmt: skip
def test_what_is_no_description_is_refused(octets: bytes) -> None:
    with pytest.raises(MediaError):
        read_description(octets)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=12))
def test_any_description_is_read_and_answered_or_refused(rows: list[str]) -> None:
    for octets in ("\n".join(rows).encode(), _offer("m=audio 4 RTP/AVP 0", *(f"a={row}" for row in rows))):
        with contextlib.suppress(MediaError):
            lines = read_description(octets).lines
            answer = write_answer(lines, lambda _: 4000, Ours("10.0.0.9", 1, 1)).decode()

            assert answer.count("\r\nm=") == len(lines)
