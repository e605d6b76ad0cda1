"""AudioSocket's frames: the bytes Asterisk sends, cut anywhere, and what it would never send."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import MediaError
from engine.telephony.audiosocket.frames import RATES, Frame, FrameReader, Kind


def frames(reader: FrameReader, octets: bytes) -> list[Frame]:
    """All frames that these bytes complete."""
    reader.feed(octets)
    read = []
    while (frame := reader.next()) is not None:
        read.append(frame)
    return read


NAME = bytes.fromhex("40325ec25efd4bd3805f53576e581d13")

GOLDEN = [
    (bytes.fromhex("010010") + NAME, Frame(Kind.UUID, NAME)),
    (bytes.fromhex("03000135"), Frame(Kind.KEY, b"5")),
    (bytes.fromhex("100140") + bytes(320), Frame(Kind.SOUND, bytes(320))),
    (bytes.fromhex("1000a0") + b"\xff" * 160, Frame(Kind.SOUND, b"\xff" * 160)),
    (bytes.fromhex("120280") + bytes(640), Frame(0x12, bytes(640))),
    (bytes.fromhex("100114") + bytes(276), Frame(Kind.SOUND, bytes(276))),  # the end of a recording, from Asterisk 18.26.4
    (bytes.fromhex("120228") + bytes(552), Frame(0x12, bytes(552))),  # the same with c(slin16), from 22.10.1
    (bytes.fromhex("181e00") + bytes(7680), Frame(0x18, bytes(7680))),
    (bytes.fromhex("0300012a"), Frame(Kind.KEY, b"*")),
    (bytes.fromhex("ff000101"), Frame(Kind.ERROR, b"\x01")),
    (bytes.fromhex("020000"), Frame(0x02)),
    (bytes.fromhex("000000"), Frame(Kind.HANG_UP)),
]


@pytest.mark.parametrize(("octets", "frame"), GOLDEN)
def test_frames_are_the_bytes_of_the_documentation(octets: bytes, frame: Frame) -> None:
    assert bytes(frame) == octets
    assert frames(FrameReader(), octets) == [frame]


@settings(deadline=None)
@given(st.lists(st.integers(1, 700)))
def test_it_does_not_matter_where_tcp_cuts(cuts: list[int]) -> None:
    stream = b"".join(octets for octets, _ in GOLDEN)
    reader, read = FrameReader(), []
    for cut in cuts:
        read += frames(reader, stream[:cut])
        stream = stream[cut:]
    read += frames(reader, stream)

    assert read == [frame for _, frame in GOLDEN]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("000001", "expected 0 bytes in an AudioSocket frame of kind 0x00, found 1"),
        ("010000", "expected 16 bytes in an AudioSocket frame of kind 0x01, found 0"),
        ("010011", "expected 16 bytes in an AudioSocket frame of kind 0x01, found 17"),
        ("030002", "expected 1 bytes in an AudioSocket frame of kind 0x03, found 2"),
        ("103e81", "expected at most 16000 bytes in an AudioSocket frame of kind 0x10, found 16001"),
        ("ff0400", "expected at most 1 bytes in an AudioSocket frame of kind 0xff, found 1024"),
        ("420401", "expected at most 1024 bytes in an AudioSocket frame of kind 0x42, found 1025"),
        ("474554202f20", "kind 0x47, found 17748"),  # "GET / "
    ],
)
def test_a_length_that_its_kind_cannot_have_is_refused_before_its_payload_comes(octets: str, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        frames(FrameReader(), bytes.fromhex(octets))


def test_frames_before_a_broken_one_are_still_given() -> None:
    reader = FrameReader()
    reader.feed(bytes(GOLDEN[0][1]) + bytes.fromhex("10ffff"))

    assert reader.next() == GOLDEN[0][1]
    for _ in range(2):
        with pytest.raises(MediaError):
            reader.next()


def test_a_key_is_not_in_its_repr() -> None:
    assert repr(Frame(Kind.KEY, b"7")) == "Frame(kind=0x03, 1 bytes)"


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=10))
def test_nothing_but_a_media_error_comes_of_garbage_and_little_is_held(pieces: list[bytes]) -> None:
    reader, read = FrameReader(), 0
    try:
        for piece in pieces:
            read += sum(len(bytes(frame)) for frame in frames(reader, piece))
    except MediaError:
        return
    assert read + len(reader._pending) == sum(map(len, pieces))


@settings(deadline=None)
@given(st.binary(max_size=100).filter(lambda payload: len(payload) % 2 == 0), st.sampled_from(sorted(RATES)))
def test_sound_comes_through_unchanged(payload: bytes, kind: int) -> None:
    assert frames(FrameReader(), bytes(Frame(kind, payload))) == [Frame(kind, payload)]
