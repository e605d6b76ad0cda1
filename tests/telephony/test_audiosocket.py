"""Calls over AudioSocket, with a peer that does as Asterisk does and with peers that don't."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import cast

import numpy as np
import pytest

from engine.audio import g711
from engine.audio.g711 import Law
from engine.audio.keytones import make_key_tones
from engine.core.call import CallFacts, CallId
from engine.core.units import Seconds
from engine.telephony.apart.wire import Frame as Told
from engine.telephony.audiosocket import porter
from engine.telephony.audiosocket.complaints import Complaints
from engine.telephony.audiosocket.connection import Connection
from engine.telephony.audiosocket.frames import RATES, Frame, Kind
from engine.telephony.audiosocket.leg import AudioSocketLeg
from engine.telephony.audiosocket.line import Line
from engine.telephony.audiosocket.settings import AudioSocketSettings, Payload
from engine.telephony.audiosocket.wire import Closed, TurnedAway
from engine.telephony.key_sources import KeySources
from engine.telephony.leg import Gone, Sound
from tests.telephony.audiosocket_door import DEFAULTS, HANG_UP, HELLO, NAME, door, sound
from tests.telephony.doubles import everything, frame, keys_of, ramp, sound_of


async def test_a_call_from_its_name_to_the_hang_up() -> None:
    async with door() as opened:
        await opened.call(
            HELLO, *sound(ramp(3)), Frame(Kind.KEY, b"5"), Frame(0x02), *sound(ramp(1)), Frame(Kind.KEY, b"#"), HANG_UP
        )
        leg = await opened.leg()
        received = await everything(leg)

    assert np.array_equal(sound_of(received), np.concatenate([ramp(3), ramp(1)]))
    assert keys_of(received) == b"5#"
    assert received[-1] == Gone("hung_up")
    assert leg.facts.id.startswith(f"{NAME}-")
    assert leg.facts.peer_id == str(NAME)
    assert leg.facts.door == "audiosocket"


async def test_a_closed_connection_is_a_hang_up() -> None:
    async with door() as opened:
        peer = await opened.call(HELLO, *sound(ramp(1)))
        leg = await opened.leg()
        peer.hang_up()

        assert (await everything(leg))[-1] == Gone("hung_up")


async def test_sound_and_the_hang_up_go_out_and_nothing_else() -> None:
    async with door() as opened:
        peer = await opened.call(HELLO, *sound(ramp(1)))
        leg = await opened.leg()
        await leg.receive()
        await leg.send(frame(1000))
        await leg.flush()
        await leg.hang_up()
        await leg.hang_up()
        await leg.send(frame(2000))
        heard = await peer.hear()

    assert heard == [Frame(Kind.SOUND, frame(1000).samples.astype("<i2").tobytes()), HANG_UP]
    assert await leg.receive() == Gone("ended")


async def test_nagles_delay_is_off_and_tcp_watches_over_the_peer() -> None:
    met: asyncio.Queue[Connection] = asyncio.Queue()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(met.put_nowait), "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        connected: socket.socket = (await met.get())._there.get_extra_info("socket")

        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
        writer.close()


async def test_a_telephone_that_sends_no_silence_keeps_its_call_for_minutes() -> None:
    async with door() as opened:
        peer = await opened.call(HELLO)
        leg = await opened.leg()
        late = leg._inbox._clock() + 299
        leg._inbox._clock = lambda: late
        first = await leg.receive()
        leg._inbox._clock = lambda: late + 2
        while isinstance(last := await leg.receive(), Sound):
            pass
        peer.hang_up()

    assert isinstance(first, Sound)
    assert last == Gone("lost")


async def test_a_gap_is_filled_with_silence_while_a_key_is_held() -> None:
    async with door() as opened:
        peer = await opened.call(HELLO, *sound(ramp(1)))
        leg = await opened.leg()
        first, second = await leg.receive(), await leg.receive()
        peer.say(*sound(ramp(1, first=161)), HANG_UP)
        rest = await everything(leg)

    assert (first.filled, second.filled) == (False, True)  # type: ignore[union-attr]
    assert np.array_equal(sound_of([first, second, *rest]), ramp(2))


@pytest.mark.parametrize("law", list(Law))
@pytest.mark.parametrize("payload", [Payload.AUTO, Payload.G711])
async def test_g711_is_told_by_its_length_and_answered_in_pcm_because_asterisk_hears_nothing_else(
    law: Law, payload: Payload
) -> None:
    octets = g711.encode(ramp(2), law)
    async with door(AudioSocketSettings(payload=payload, law=law)) as opened:
        peer = await opened.call(HELLO, Frame(Kind.SOUND, octets[:160]), Frame(Kind.SOUND, octets[160:]))
        leg = await opened.leg()
        received = [await leg.receive(), await leg.receive()]
        await leg.send(frame(1000))
        await leg.hang_up()
        heard = await peer.hear()

    assert np.array_equal(sound_of(received), g711.decode(octets, law))
    assert heard[0] == Frame(Kind.SOUND, frame(1000).samples.astype("<i2").tobytes())


async def test_160_bytes_are_pcm_where_the_settings_say_so() -> None:
    async with door(AudioSocketSettings(payload=Payload.SLIN)) as opened:
        await opened.call(HELLO, Frame(Kind.SOUND, ramp(1)[:80].tobytes()), Frame(Kind.SOUND, ramp(1)[80:].tobytes()), HANG_UP)

        assert np.array_equal(sound_of(await everything(await opened.leg())), ramp(1))


@pytest.mark.parametrize("kind", sorted(set(RATES) - {Kind.SOUND}))
async def test_every_rate_is_brought_to_8_khz_and_answered_in_kind(kind: int) -> None:
    rate_hz = RATES[kind].rate_hz
    step = rate_hz // 50
    tone = (8000 * np.sin(np.arange(rate_hz) * 2 * np.pi * 440 / rate_hz)).astype("<i2")
    async with door() as opened:
        said = (Frame(kind, tone[at : at + step].tobytes()) for at in range(0, rate_hz, step))
        peer = await opened.call(HELLO, *said, Frame(Kind.KEY, b"5"))
        leg, received = await opened.leg(), []
        while isinstance(one := await leg.receive(), Sound):
            received.append(one)  # all that was sent: who hangs up on more than that resets the connection
        for _ in range(10):
            await leg.send(frame(1000))
        await leg.hang_up()
        heard = await peer.hear()

    assert np.sqrt(np.mean(sound_of(received).astype(float) ** 2)) == pytest.approx(8000 / np.sqrt(2), rel=0.05)
    assert {one.kind for one in heard[:-1]} == {kind}
    assert sum(len(one.payload) for one in heard) == pytest.approx(10 * 2 * step, abs=step)
    assert np.frombuffer(heard[-2].payload, "<i2").mean() == pytest.approx(1000, abs=5)


async def test_a_peer_may_change_its_rate_in_the_middle() -> None:
    async with door() as opened:
        peer = await opened.call(HELLO, *sound(ramp(1)), Frame(0x12, bytes(640)), *sound(ramp(1)), HANG_UP)
        leg = await opened.leg()
        received = await everything(leg)
        await leg.hang_up()
        heard = await peer.hear()

    assert len(sound_of(received)) >= 2 * 160
    assert heard == [HANG_UP]


@pytest.mark.parametrize("error", [b"", b"\x01", b"\x02", b"\x04"])
async def test_an_error_frame_is_the_end_of_the_call(error: bytes) -> None:
    async with door() as opened:
        await opened.call(HELLO, *sound(ramp(1)), Frame(Kind.ERROR, error))

        assert (await everything(await opened.leg()))[-1] == Gone("hung_up")


async def test_what_is_no_key_of_the_pad_or_has_no_sound_in_it_is_skipped() -> None:
    async with door() as opened:
        await opened.call(
            HELLO, Frame(Kind.SOUND), *sound(ramp(1)), Frame(Kind.KEY, b"f"), Frame(0x12), Frame(Kind.KEY, b"D"), HANG_UP
        )
        received = await everything(await opened.leg())

    assert keys_of(received) == b"D"
    assert np.array_equal(sound_of(received), ramp(1))


async def test_a_burst_of_late_frames_is_heard_whole_and_in_order() -> None:
    async with door() as opened:
        peer = await opened.call(HELLO, *sound(ramp(1)))
        leg = await opened.leg()
        early = [await leg.receive() for _ in range(5)]
        peer.say(*sound(ramp(20, first=161)), HANG_UP)
        rest = await everything(leg)

    starts = [item.frame.start for item in [*early, *rest] if isinstance(item, Sound)]
    assert sum(item.filled for item in early) == 4  # type: ignore[union-attr]
    assert np.array_equal(sound_of([*early, *rest]), ramp(21))
    assert starts == [160 * place for place in range(len(starts))]


async def test_the_bytes_of_a_whole_call() -> None:
    said, heard = ramp(1).astype("<i2").tobytes(), frame(-2).samples.astype("<i2").tobytes()
    async with door() as opened:
        peer = await opened.call(
            bytes.fromhex("010010 40325ec25efd4bd3805f53576e581d13"),
            bytes.fromhex("100140") + said,
            bytes.fromhex("03000123"),
        )
        leg = await opened.leg()
        received = [await leg.receive(), await leg.receive()]
        await leg.send(frame(-2))
        await leg.hang_up()
        octets = await peer.octets()

    assert sound_of(received).astype("<i2").tobytes() == said
    assert keys_of(received) == b"#"
    assert octets == bytes.fromhex("100140") + heard + bytes.fromhex("000000")


async def test_asterisk_18_sends_keys_only_as_tones() -> None:
    tones = make_key_tones(b"12#", tone=Seconds(0.08), pause=Seconds(0.08)).samples
    async with door() as opened:
        await opened.call(HELLO, *sound(np.pad(tones, (0, 1600))), HANG_UP)

        assert keys_of(await everything(await opened.leg())) == b"12#"


async def test_a_tone_ends_where_the_peer_falls_silent_behind_it_but_not_in_a_short_gap() -> None:
    tone = make_key_tones(b"*", tone=Seconds(0.2), pause=Seconds(0.0)).samples[:1600]
    async with door() as opened:
        peer = await opened.call(HELLO, *sound(tone[:800]))
        leg = await opened.leg()
        before = [await leg.receive() for _ in range(9)]
        peer.say(*sound(tone[800:]))
        after = [await leg.receive() for _ in range(24)]

    assert sum(item.filled for item in before) == 4  # type: ignore[union-attr]
    assert keys_of([*before, *after]) == b"*"


async def test_tones_do_not_count_where_the_settings_say_so() -> None:
    tones = make_key_tones(b"1", tone=Seconds(0.08), pause=Seconds(0.2)).samples
    async with door(in_band_keys=False) as opened:
        await opened.call(HELLO, *sound(tones), HANG_UP)

        assert keys_of(await everything(await opened.leg())) == b""


def test_a_key_that_comes_as_tone_and_as_message_counts_once() -> None:
    sources = KeySources(in_band=True)
    heard = sources.sound(make_key_tones(b"5", tone=Seconds(0.08), pause=Seconds(0.1)).samples, now=1.0)
    told = [sources.frame(ord("5"), now=1.1), sources.frame(ord("5"), now=1.2)]
    after = sources.sound(make_key_tones(b"5", tone=Seconds(0.08), pause=Seconds(0.1)).samples, now=1.5)

    assert heard == [ord("5")]
    assert told == [None, ord("5")]
    assert after == []


def test_another_key_or_a_later_one_is_another_press() -> None:
    for code, later in ((ord("6"), 0.1), (ord("5"), 0.6)):
        sources = KeySources(in_band=True)
        sources.sound(make_key_tones(b"5", tone=Seconds(0.08), pause=Seconds(0.1)).samples, now=1.0)

        assert sources.frame(code, now=1.0 + later) == code


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (HELLO, "expected one name of a call, found a second one"),
        (bytes.fromhex("10ffff"), "expected at most 16000 bytes"),
        (Frame(Kind.SOUND, b"\x00" * 7), "expected 16-bit samples, found 7 bytes"),
        (b"GET / HTTP/1.1\r\n\r\n", "kind 0x47"),
    ],
)
async def test_a_peer_that_breaks_the_protocol_ends_its_own_call_and_no_other(wrong: Frame | bytes, reason: str) -> None:
    async with door() as opened:
        good_peer = await opened.call(HELLO, *sound(ramp(1)))
        good = await opened.leg()
        await opened.call(HELLO, *sound(ramp(1)), wrong)
        bad = await opened.leg()
        received = await everything(bad)
        await bad.hang_up()
        good_peer.say(*sound(ramp(1)), HANG_UP)

        assert received[-1] == Gone("media")
        assert reason in str(bad._inbox.fault)
        assert len(sound_of(await everything(good))) == 320


@pytest.mark.parametrize(
    "first", [sound(ramp(1))[0], Frame(Kind.KEY, b"5"), HANG_UP, b"GET / HTTP/1.1\r\n\r\n", bytes.fromhex("010011")]
)
async def test_a_peer_that_does_not_name_its_call_first_is_turned_away(first: Frame | bytes) -> None:
    async with door() as opened:
        peer = await opened.call(first)

        assert await peer.hear() == [HANG_UP]
        assert opened.legs.empty()


async def test_a_peer_that_connects_and_says_nothing_is_turned_away_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(porter, "GREETING", 0.01)
    async with door() as opened:
        peer = await opened.call(bytes.fromhex("0100"))

        assert await peer.hear() == [HANG_UP]


async def test_only_announced_calls_are_taken_where_the_bank_announces_them() -> None:
    announced = CallFacts(CallId("c7"), "audiosocket", caller_number="+79161234567")
    async with door(admit={NAME: announced}.get) as opened:
        stranger = await opened.call(Frame(Kind.UUID, bytes(16)))
        await opened.call(HELLO)

        assert await stranger.hear() == [HANG_UP]
        assert (await opened.leg()).facts == announced


def test_a_flood_of_refusals_is_a_line_a_second_that_says_how_many_there_were() -> None:
    now, said = 100.0, list[TurnedAway]()
    complaints = Complaints(said.append, lambda: now)
    for _ in range(5):
        complaints.say("10.1.0.9", "too many connections")
    complaints.say("10.1.0.10", "nobody has announced this call", str(NAME))
    now += 1.0
    complaints.say("10.1.0.9", "too many connections")

    assert [(one.peer, one.call, one.count) for one in said] == [
        ("10.1.0.9", None, 1),
        ("10.1.0.10", str(NAME), 1),
        ("10.1.0.9", None, 5),
    ]


async def test_a_flood_of_frames_ends_its_own_call_however_little_they_hold() -> None:
    async with door() as opened:
        await opened.call(HELLO, *[Frame(0x55)] * 1_100)
        leg = await opened.leg()

        assert (await everything(leg))[-1] == Gone("media")
        assert "expected at most 250 messages a second" in str(leg._inbox.fault)


async def test_a_transfer_asks_the_banks_telephony_and_hangs_up() -> None:
    asked: list[str] = []

    async def handover(facts: CallFacts, destination: str, context: Mapping[str, str]) -> None:
        asked.append(destination)

    async with door(handover=handover) as opened:
        peer = await opened.call(HELLO)
        leg = await opened.leg()
        await leg.transfer("cards", {})
        await leg.transfer("cards", {})

        assert asked == ["cards"]
        assert await leg.receive() == Gone("transferred")
        assert await peer.hear() == [HANG_UP]


async def test_a_call_that_fails_inside_hangs_up_and_leaves_the_door_open() -> None:
    failures: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))

    async def fail(leg: AudioSocketLeg) -> None:
        raise RuntimeError("a bug of ours")

    async with door(take=fail) as opened:
        for _ in range(2):
            peer = await opened.call(HELLO)

            assert await peer.hear() == [HANG_UP]


async def test_a_frame_cut_by_the_end_of_the_connection_is_dropped() -> None:
    connection = Connection(lambda _: None)
    come = bytes(HELLO) + b"\x10\x01"
    connection.get_buffer(-1)[: len(come)] = come
    connection.buffer_updated(len(come))
    connection.eof_received()

    assert await connection.receive() == HELLO
    with pytest.raises(EOFError):
        await connection.receive()


class Peer:
    """A connection that notes what is sent through it, when."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, int]] = []
        self.takes = True
        self.now = 0.0

    def attend(self, *_: object) -> None:
        pass

    def send(self, frame: Frame) -> bool:
        if self.takes:
            self.sent.append((round(self.now, 3), frame.payload[0]))
        return self.takes


class Beating:
    """A line whose pump ticks when a test says so."""

    def __init__(self) -> None:
        self.peer, self.told = Peer(), list[Told]()
        self.line = Line(1, cast("Connection", self.peer), self.told.append, DEFAULTS)

    def say(self, *numbers: int, at: float) -> None:
        self.peer.now = at
        for number in numbers:
            self.line.send(bytes([number, 0]) * 160, at)

    def tick(self, *moments: float) -> None:
        for self.peer.now in moments:
            self.line.beat(self.peer.now)


def test_the_first_sound_goes_out_at_once_and_the_rest_on_the_beat_however_it_comes() -> None:
    beating = Beating()
    beating.say(1, 2, 3, at=0.001)
    beating.tick(0.005, 0.010, 0.015, 0.020, 0.025)
    beating.say(4, at=0.027)
    beating.tick(0.030, 0.035, 0.040, 0.045, 0.050, 0.055, 0.060, 0.065)
    beating.say(5, at=0.200)

    assert beating.peer.sent == [(0.001, 1), (0.025, 2), (0.045, 3), (0.065, 4), (0.2, 5)]


def test_a_pump_that_was_late_makes_up_for_it() -> None:
    beating = Beating()
    beating.say(1, 2, 3, 4, at=0.0)
    beating.tick(0.050, 0.055, 0.060)

    assert beating.peer.sent == [(0.0, 1), (0.05, 2), (0.05, 3), (0.06, 4)]


def test_who_interrupts_hears_nothing_of_what_lay_ahead_and_the_reply_on_the_beat() -> None:
    beating = Beating()
    beating.say(1, 2, 3, at=0.0)
    beating.line.flush()
    beating.say(9, at=0.010)
    beating.tick(0.015, 0.020)

    assert beating.peer.sent == [(0.0, 1), (0.02, 9)]


def test_a_call_is_hung_up_when_all_is_said() -> None:
    beating = Beating()
    beating.say(1, 2, at=0.0)
    beating.line.hang_up()
    before = beating.line.over.is_set()
    beating.tick(0.020)

    assert not before
    assert beating.line.over.is_set()


def test_a_peer_that_takes_nothing_any_more_is_gone() -> None:
    beating = Beating()
    beating.peer.takes = False
    beating.say(1, 2, at=0.0)

    assert [Closed.of(told).reason for told in beating.told] == ["stalled"]
    assert beating.line.over.is_set()


def test_an_engine_that_says_far_too_much_is_not_remembered() -> None:
    beating = Beating()
    beating.say(*[1] * 5_000, at=0.0)

    assert len(beating.line._waiting) == 500
