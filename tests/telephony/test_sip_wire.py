"""What the engine and its SIP process say to each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import ProtocolError
from engine.telephony.apart.wire import LARGEST, Failed, Frame, FrameReader, Kind, Ready, Said, Told
from engine.telephony.sip import wire
from engine.telephony.sip.settings import SipSettings, Srtp, Trunk

FRAMES = st.builds(Frame, st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.binary(max_size=700))
TOLD = (
    Ready(5060), Failed("expected «это»"), wire.ComesIn("sip:a@b", "sip:c@d", "id", {"X-A": "b"}), wire.Closed(486, "Busy"),
    wire.Closed(None, ""), wire.NotTransferred(603, "Decline"), wire.Registered("main", None, ""), Said("warning", "a", "b"),
    wire.Dial("sip:a@b", "", {}), wire.Transfer("<sip:a@b?c=d>"),
)  # fmt: skip


@given(frames=st.lists(FRAMES, max_size=8), cuts=st.lists(st.integers(1, 400), max_size=20))
def test_frames_come_out_as_they_went_in_however_the_stream_is_cut(frames: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(map(bytes, frames))
    reader, read, at = FrameReader(), [], 0
    for cut in [*cuts, len(stream)]:
        read += reader.feed(stream[at : at + cut])
        at += cut

    assert read == frames


@given(st.binary(min_size=10, max_size=200))
def test_what_is_no_frame_is_refused_or_waited_for_but_never_crashes(octets: bytes) -> None:
    try:
        frames = FrameReader().feed(octets)
    except ProtocolError:
        return

    assert sum(len(bytes(frame)) for frame in frames) <= len(octets)


def test_a_frame_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ProtocolError, match="found kind 99"):
        FrameReader().feed(bytes([0, 0, 0, 1, 99, 0, 0, 0, 0]))


def test_the_largest_frame_fits() -> None:
    frame = Frame(Kind.SOUND, 1, bytes(LARGEST))

    assert FrameReader().feed(bytes(frame)) == [frame]


@pytest.mark.parametrize("told", TOLD, ids=lambda told: type(told).__name__)
def test_what_is_told_in_json_comes_back_the_same(told: Told) -> None:
    frame = FrameReader().feed(bytes(told.frame(7)))[0]

    assert frame.call == 7
    assert type(told).of(frame) == told


def test_a_frame_is_not_taken_for_another() -> None:
    with pytest.raises(ProtocolError, match="expected Closed, found Frame"):
        wire.Closed.of(Ready(5060).frame())


def test_a_frame_does_not_show_the_key_it_carries() -> None:
    assert repr(Frame(Kind.KEY, 3, b"7")) == "Frame(KEY, call=3, 1 bytes)"


def test_settings_come_back_the_same_and_do_not_show_a_password() -> None:
    settings = SipSettings(
        certificate="-----BEGIN hush",
        peers=("10.0.0.0/8",),
        srtp=Srtp.REQUIRED,
        trunks=(Trunk("main", "u", "pbx", password="hush"),),
    )

    assert SipSettings.from_json(settings.to_json()) == settings
    assert "hush" not in repr(settings)
