"""SIP messages and bodies of several parts, from peers who write them in all the ways there are."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import MediaError
from engine.telephony.siprec.message import (
    LARGEST_BODY,
    LARGEST_HEAD,
    MOST_FIELDS,
    Fields,
    MessageStream,
    Request,
    Response,
    address,
    parameters,
    read_message,
)
from engine.telephony.siprec.multipart import MOST_PARTS, Part, read_parts

_INVITE = (
    b"INVITE sip:recorder@10.0.0.9 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa;rport\r\n"
    b'f: "SBC, the" <sip:sbc@10.0.0.1>;tag=x1\r\n'
    b"To: <sip:recorder@10.0.0.9>\r\n"
    b"i: call-1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Require: siprec,\r\n timer\r\n"
    b"l: 4\r\n"
    b"\r\nbody"
)


def test_short_names_any_case_and_folded_lines_are_read_as_the_long_ones() -> None:
    request = read_message(_INVITE)

    assert isinstance(request, Request)
    assert (request.method, request.uri, request.body) == ("INVITE", "sip:recorder@10.0.0.9", b"body")
    assert request.fields.first("call-id") == "call-1"
    assert request.fields.tokens("require") == {"siprec", "timer"}


def test_what_was_written_is_read_back_the_same() -> None:
    fields = Fields(
        (("via", "SIP/2.0/UDP h;branch=1"), ("via", "SIP/2.0/UDP g;branch=2"), ("call-id", "c"), ("content-length", "0"))
    )
    request = Request("BYE", "sip:a@b", Fields(fields.rows[:3]), b"")
    response = Response(200, "OK", Fields(fields.rows[:3]), b"")

    assert read_message(bytes(request)) == Request("BYE", "sip:a@b", fields)
    assert read_message(bytes(response)) == Response(200, "OK", fields)


def test_a_body_longer_than_said_is_cut_and_a_shorter_one_refused() -> None:
    longer = read_message(_INVITE + b"garbage")

    assert longer.body == b"body"
    with pytest.raises(MediaError, match="expected a body of 4 bytes, found 2"):
        read_message(_INVITE[:-2])


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"INVITE sip:x SIP/1.0\r\n\r\n",
        b"INVITE sip:x SIP/2.0\r\nno colon\r\n\r\n",
        b"INVITE sip:x SIP/2.0\r\nContent-Length: -1\r\n\r\n",
        b"INVITE sip:x SIP/2.0\r\nContent-Length: %d\r\n\r\n" % (LARGEST_BODY + 1),
        b"INVITE sip:x SIP/2.0\r\n" + b"a: b\r\n" * (MOST_FIELDS + 1) + b"\r\n",
        b"INVITE sip:x SIP/2.0\r\na: " + b"b" * LARGEST_HEAD + b"\r\n\r\n",
    ],
)
def test_what_is_no_message_is_refused(octets: bytes) -> None:
    with pytest.raises(MediaError):
        read_message(octets)


@given(st.binary(max_size=400))
def test_any_datagram_is_a_message_or_refused(octets: bytes) -> None:
    for datagram in (octets, b"INVITE sip:x SIP/2.0\r\n" + octets + b"\r\n\r\n"):
        with contextlib.suppress(MediaError):
            bytes(read_message(datagram))


@given(st.lists(st.integers(1, 60), max_size=12))
def test_a_stream_gives_the_same_messages_however_it_is_cut(cuts: list[int]) -> None:
    sent = b"\r\n\r\n" + _INVITE + _INVITE + b"\r\n" + _INVITE.replace(b"l: 4", b"l: 0")[:-4]
    stream, found, rest = MessageStream(), [], sent
    for cut in [*cuts, len(sent)]:
        stream.feed(rest[:cut])
        rest = rest[cut:]
        while (message := stream.next()) is not None:
            found.append(message)

    assert [message.body for message in found] == [b"body", b"body", b""]
    assert not stream.begun


def test_a_stream_that_never_ends_its_header_is_refused() -> None:
    stream = MessageStream()
    stream.feed(b"INVITE sip:x SIP/2.0\r\na: " + b"b" * LARGEST_HEAD)

    with pytest.raises(MediaError, match="longer"):
        stream.next()


def test_addresses_and_parameters_are_told_apart() -> None:
    value = '"Jones; tag=no" <sip:+49@carrier.example:5061;user=phone>;tag=abc;lr'

    assert address(value) == "sip:+49@carrier.example:5061;user=phone"
    assert parameters(value) == {"tag": "abc", "lr": ""}


_BODY = (
    b"preamble\r\n--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n"
    b"--b1  \r\ncontent-type:application/rs-metadata+xml;charset=utf-8\r\nContent-Disposition: recording-session\r\n\r\n<recording/>\r\n"
    b"--b1--\r\nepilogue"
)


@pytest.mark.parametrize("kind", ["multipart/mixed;boundary=b1", 'Multipart/Mixed; charset=x; boundary="b1"'])
@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
def test_parts_are_found_between_their_boundaries(kind: str, line: bytes) -> None:
    parts = read_parts(kind, _BODY.replace(b"\r\n", line))

    assert parts == (Part("application/sdp", b"v=0"), Part("application/rs-metadata+xml", b"<recording/>"))


def test_a_body_of_one_part_is_that_part_and_an_empty_one_is_none() -> None:
    assert read_parts("application/SDP; x=y", b"v=0") == (Part("application/sdp", b"v=0"),)
    assert read_parts(None, b"\r\n") == ()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (None, b"v=0"),
        ("multipart/mixed", _BODY),
        ("multipart/mixed;boundary=" + "b" * 71, _BODY),
        ("multipart/mixed;boundary=other", _BODY),
        ("multipart/mixed;boundary=b1", _BODY.replace(b"--b1--", b"")),
        ("multipart/mixed;boundary=b1", b"--b1\r\n" * (MOST_PARTS + 2) + b"\r\n--b1--"),
        ("multipart/mixed;boundary=b1", b"--b1\r\nno empty line\r\n--b1--"),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused(kind: str | None, body: bytes) -> None:
    with pytest.raises(MediaError):
        read_parts(kind, body)


@given(st.text(max_size=80), st.binary(max_size=300))
def test_any_body_is_taken_apart_or_refused(boundary: str, body: bytes) -> None:
    for text in (body, body.replace(b"b", b"\r\n--b1\r\n") + b"\r\n--b1--"):
        for kind in (f"multipart/mixed;boundary={boundary}", "multipart/mixed;boundary=b1"):
            with contextlib.suppress(MediaError):
                assert len(read_parts(kind, text)) <= MOST_PARTS
