"""Packets on the timeline: whatever the network does to them, both channels keep together."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audio.g711 import Law, decode, encode
from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, WIDEBAND, Samples
from engine.core.units import Seconds
from engine.telephony.siprec.description import Codec
from engine.telephony.siprec.feed import DELAY, MOST_VOICES, Feed
from engine.telephony.siprec.rtp import is_rtcp, key_length, read_packet
from engine.testing.siprec_callers import RtpStream
from tests.audio.test_g722 import encoded

_LINE = {0: Codec.PCMU}
_QUIET = np.zeros(FRAME_SAMPLES, np.int16)


def _loud(value: int = 8000) -> Samples:
    """A frame whose value comes through G.711 as it is."""
    return decode(encode(np.full(FRAME_SAMPLES, value, np.int16), Law.ULAW), Law.ULAW)


def _packets(stream: RtpStream, sound: Iterable[Samples]) -> Iterator[bytes]:
    return (stream.packet(samples) for samples in sound)


def _play(feed: Feed, arrivals: Iterable[tuple[float, bytes]], until: float) -> list[Samples]:
    """Let datagrams arrive at their times, read on the beat, and give the parts, each as one."""
    waiting = sorted(arrivals, key=lambda arrival: arrival[0])
    taken: list[list[Samples]] = []
    for beat in range(round(until / FRAME)):
        now = Seconds(DELAY + (beat + 1) * FRAME)
        while waiting and waiting[0][0] <= now:
            at, octets = waiting.pop(0)
            feed.receive(octets, Seconds(at))
        taken.append(feed.take(FRAME_SAMPLES, now))
    most = max(map(len, taken))
    return [np.concatenate([parts[n] if n < len(parts) else _QUIET for parts in taken]) for n in range(most)]


def _first_loud(sound: Samples, above: int = 4000) -> float:
    return float(np.argmax(np.abs(sound.astype(np.int32)) > above)) / TELEPHONY.rate_hz


def test_a_packet_lies_where_its_timestamp_says_though_they_come_out_of_order_twice_or_never() -> None:
    stream = RtpStream()
    sound = [_loud(1000 + 500 * n) for n in range(20)]
    sent = [(n * FRAME, octets) for n, octets in enumerate(_packets(stream, sound))]
    jumbled = [*sent[:4], (0.13, sent[5][1]), (0.131, sent[4][1]), (0.132, sent[4][1]), *sent[6:10], *sent[11:]]

    (heard,) = _play(Feed(_LINE), jumbled, 0.4)

    expected = np.concatenate([*sound[:10], _QUIET, *sound[11:]])
    assert np.array_equal(heard, expected)


def test_what_comes_after_its_time_is_lost_and_counted() -> None:
    stream, feed = RtpStream(), Feed(_LINE)
    sent = [(n * FRAME, octets) for n, octets in enumerate(_packets(stream, [_loud()] * 40))]
    sent[10] = (0.2 + DELAY + 0.1, sent[10][1])

    (heard,) = _play(feed, sent, 0.8)

    assert (feed.counts.received, feed.counts.late) == (40, 1)
    assert not heard[10 * FRAME_SAMPLES : 11 * FRAME_SAMPLES].any()
    assert heard[11 * FRAME_SAMPLES : 12 * FRAME_SAMPLES].any()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("jitter", [0.005, 0.040, 0.120])
def test_a_click_at_one_moment_lies_at_one_moment_in_both_channels_whatever_the_jitter(seed: int, jitter: float) -> None:
    dice = random.Random(seed)
    sound = [_QUIET] * 200 + [_loud()] + [_QUIET] * 49
    places = []
    for line in range(2):
        stream = RtpStream(ssrc=line, timestamp=dice.randrange(2**32))
        sent = [(0.003 * line + n * FRAME + dice.uniform(0, jitter), octets) for n, octets in enumerate(_packets(stream, sound))]
        kept = [arrival for arrival in sent if dice.random() > 0.05 or arrival[0] / FRAME > 195]
        places.append(_first_loud(_play(Feed(_LINE), kept, 6.0)[0]))

    assert abs(places[0] - places[1]) <= 0.040
    assert abs(places[0] - 200 * FRAME) <= 0.040


@pytest.mark.parametrize("faster", [-500e-6, -100e-6, 100e-6, 500e-6])
def test_a_telephone_with_a_clock_of_its_own_is_followed_without_a_hole(faster: float) -> None:
    seconds = 60
    tone = _loud()
    sent = ((n * FRAME * (1 - faster), octets) for n, octets in enumerate(_packets(RtpStream(), [tone] * round(seconds / FRAME))))
    feed = Feed(_LINE)

    (heard,) = _play(feed, sent, seconds - 1.0)

    assert feed.counts.late == 0
    assert not (heard[: len(heard) - 400] == 0).any()


def test_a_click_after_three_minutes_of_two_clocks_that_run_apart_still_lies_at_one_moment() -> None:
    places = []
    for faster in (-400e-6, 400e-6):  # together 144 ms apart by then
        stream, first = RtpStream(timestamp=0), 2**32 - 10_000
        arrivals = []
        for n in range(9_000):
            stream.timestamp = round(first + n * FRAME_SAMPLES * (1 + faster)) % 2**32
            arrivals.append((n * FRAME, stream.packet(_loud() if n == 8_900 else _QUIET)))
        places.append(_first_loud(_play(Feed(_LINE), arrivals, 179.0)[0]))

    assert abs(places[0] - places[1]) <= 0.040


def test_a_jump_of_the_timestamps_is_followed_at_once_and_a_fall_soon() -> None:
    stream = RtpStream()
    first = [(n * FRAME, octets) for n, octets in enumerate(_packets(stream, [_loud()] * 25))]
    stream.pause(800_000)
    ahead = [(0.5 + n * FRAME, octets) for n, octets in enumerate(_packets(stream, [_loud()] * 25))]
    stream.pause(-1_600_000)
    behind = [(1.0 + n * FRAME, octets) for n, octets in enumerate(_packets(stream, [_loud()] * 50))]

    (heard,) = _play(Feed(_LINE), [*first, *ahead, *behind], 2.0)

    assert (heard[:8000] != 0).all()
    assert (heard[8000 + 14 * FRAME_SAMPLES : 15_000] != 0).all()


def test_keys_say_nothing_of_the_time_but_their_own_and_not_which_they_are() -> None:
    stream, feed = RtpStream(), Feed(_LINE, keys=(101,))
    spans = []
    for n in range(25):
        feed.receive(stream.packet(_loud()), Seconds(n * FRAME))
    for n in range(100):  # a key that is held for two seconds
        octets = stream.key(5, (n + 1) * FRAME_SAMPLES, last=n == 99)
        spans.append(feed.receive(octets, Seconds(0.5 + n * FRAME)))
        feed.take(FRAME_SAMPLES, Seconds(0.5 + n * FRAME))
    stream.pause(100 * FRAME_SAMPLES)
    for n in range(25):
        feed.receive(stream.packet(_loud()), Seconds(2.5 + n * FRAME))

    assert spans[0] == (0.5, 0.52)
    assert spans[-1] == pytest.approx((0.5, 2.5))
    assert feed.counts.late == 0


def test_two_senders_on_one_line_are_kept_apart_and_one_after_the_other_is_not() -> None:
    one, other, third = (RtpStream(ssrc=n, timestamp=n * 7_000) for n in (1, 2, 3))
    arrivals = [(n * FRAME, octets) for n, octets in enumerate(_packets(one, [_loud(1000)] * 50))]
    arrivals += [(0.2 + n * FRAME, octets) for n, octets in enumerate(_packets(other, [_loud(9000)] * 40))]
    arrivals += [(1.0 + n * FRAME, octets) for n, octets in enumerate(_packets(third, [_loud(3000)] * 20))]
    feed = Feed(_LINE)

    parts = _play(feed, arrivals, 1.3)

    assert feed.together
    assert set(np.unique(parts[1])) == {0, _loud(9000)[0]}
    assert set(np.unique(parts[0][:8000])) == {_loud(1000)[0]}
    assert _loud(3000)[0] in parts[0][8000:10_000]


def test_wideband_sound_is_heard_in_the_telephones_band_at_its_place() -> None:
    at = np.arange(16_000) / WIDEBAND.rate_hz
    spoken = np.where(at < 0.5, 0, 9000 * np.sin(2 * np.pi * 800 * at)).astype(np.int16)
    stream, arrivals = RtpStream(), []
    for n, octets in enumerate(encoded(spoken)):
        arrivals.append((n * FRAME, stream._head(9, marker=False) + octets))
        stream.pause(FRAME_SAMPLES)
    feed = Feed({9: Codec.G722})

    (heard,) = _play(feed, arrivals, 1.0)

    assert feed.counts.received == 50
    assert _first_loud(heard) == pytest.approx(0.5, abs=0.01)
    assert np.abs(heard[4_100:7_900].astype(np.int32)).max() == pytest.approx(9000, rel=0.1)


def test_a_line_whose_sender_changes_is_one_voice() -> None:
    streams = [RtpStream(ssrc=n, timestamp=n * 99_000) for n in range(3)]
    arrivals = [
        (s * 0.5 + n * FRAME, octets) for s, one in enumerate(streams) for n, octets in enumerate(_packets(one, [_loud()] * 25))
    ]
    feed = Feed(_LINE)

    parts = _play(feed, arrivals, 1.5)

    assert not feed.together
    assert len(parts) == 1
    assert (parts[0] != 0).mean() > 0.99


def test_a_paused_line_is_silent_whatever_comes_and_gives_what_was_said_before() -> None:
    stream, feed = RtpStream(), Feed(_LINE)
    heard = []
    for n, octets in enumerate(_packets(stream, [_loud()] * 150)):
        if n in (50, 100):
            feed.pause(on=n == 50)
        feed.receive(octets, Seconds(n * FRAME))
        if n >= DELAY / FRAME:
            heard += feed.take(FRAME_SAMPLES, Seconds((n + 1) * FRAME))
    sound = np.concatenate(heard)

    assert (sound[: 50 * FRAME_SAMPLES] != 0).all()
    assert not sound[50 * FRAME_SAMPLES : 100 * FRAME_SAMPLES].any()
    assert sound[100 * FRAME_SAMPLES :].any()


def test_a_flood_of_senders_takes_no_more_room_than_a_few_and_silences_nobody() -> None:
    feed, stream = Feed(_LINE), RtpStream()
    for n in range(2_000):
        feed.receive(RtpStream(ssrc=10_000 + n).packet(_loud()), Seconds(n * 0.001))
        if n % 20 == 0:
            feed.receive(stream.packet(_loud()), Seconds(n * 0.001))

    assert len(feed._voices) <= MOST_VOICES
    assert feed.counts.foreign > 1_900


@given(st.lists(st.tuples(st.binary(max_size=200), st.floats(0, 0.1)), max_size=30), st.booleans())
def test_garbage_is_passed_over_and_never_heard_as_more_than_the_beat(datagrams: list[tuple[bytes, float]], headed: bool) -> None:
    feed, now = Feed(_LINE, keys=(101,)), 0.0
    for octets, later in datagrams:
        now += later
        feed.receive(b"\x80\x00" * headed + octets, Seconds(now))
        parts = feed.take(FRAME_SAMPLES, Seconds(now))

        assert all(len(part) == FRAME_SAMPLES for part in parts)
        assert len(parts) <= MOST_VOICES + 1


@given(st.binary(max_size=1600))
def test_any_datagram_is_a_packet_or_none(octets: bytes) -> None:
    packet = read_packet(octets)

    assert packet is None or (0 < len(packet.payload) < len(octets) and not is_rtcp(octets))


def test_padding_sources_and_extensions_are_no_sound() -> None:
    head = bytes([0xB2, 8]) + bytes(10) + bytes(8)  # padding, extension, two sources
    octets = head + b"\xbe\xde\x00\x01" + b"ext!" + b"sound" + b"\x00\x00\x03"

    packet = read_packet(octets)

    assert packet is not None
    assert packet.payload == b"sound"


def test_control_packets_and_keys_are_known_by_their_shape() -> None:
    assert is_rtcp(bytes([0x80, 200]) + bytes(26))
    assert not is_rtcp(bytes([0x80, 0]) + bytes(26))
    assert key_length(bytes([11, 10, 1, 0x40])) == 320
    assert key_length(bytes([16, 10, 1, 0x40])) is None
    assert all(a < b for a, b in pairwise([key_length(bytes([1, 0, 0, n])) or 0 for n in (1, 2, 3)]))
