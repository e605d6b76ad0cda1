"""Whatever bytes come over AudioSocket: the leg keeps its timeline, ends in one of few ways, and holds little."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.g711 import Law
from engine.core.audio import FRAME_SAMPLES
from engine.core.call import CallFacts, CallId
from engine.telephony.apart.wire import Frame as Told
from engine.telephony.apart.wire import Kind as Telling
from engine.telephony.audiosocket.connection import Connection
from engine.telephony.audiosocket.frames import RATES, Frame, FrameReader, Kind
from engine.telephony.audiosocket.leg import AudioSocketLeg
from engine.telephony.audiosocket.line import Line
from engine.telephony.audiosocket.settings import AudioSocketSettings, Payload
from engine.telephony.leg import Gone, Incoming, Key, Sound


class Pipe(asyncio.Transport):
    """Both ends of a connection in memory: gives what a peer has said and then its end, keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = bytearray()
        self._closing = False
        self.connection = Connection(lambda _: None)
        self.connection.connection_made(self)

    def say(self, said: bytes, cut: int) -> None:
        for at in range(0, len(said), cut):
            piece = said[at : at + cut]
            self.connection.get_buffer(-1)[: len(piece)] = piece
            self.connection.buffer_updated(len(piece))
        self.connection.eof_received()

    def get_extra_info(self, _: str, default: Any = None) -> Any:
        return self

    def setsockopt(self, *_: int) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def write(self, octets: bytes | bytearray | memoryview) -> None:
        self.heard += octets

    def close(self) -> None:
        self._closing = True
        self.connection.connection_lost(None)


async def _carried(said: bytes, cut: int, settings: AudioSocketSettings, *, delivered: bool) -> tuple[list[Incoming], bytes]:
    pipe = Pipe()
    leg = AudioSocketLeg(1, CallFacts(CallId("c"), "audiosocket"), lambda told: _obey(line, told))
    come: asyncio.Queue[Incoming] = asyncio.Queue()
    if delivered:
        leg.deliver(come.put_nowait)
    line = Line(1, pipe.connection, leg.take, settings)
    pipe.say(said, cut)
    received: list[Incoming] = []
    while not received or not isinstance(received[-1], Gone):
        received.append(await asyncio.wait_for(come.get() if delivered else leg.receive(), 5))
        if isinstance(received[-1], Sound):
            line.send(np.full(FRAME_SAMPLES, 1000, "<i2").tobytes(), now=math.inf)
    await leg.hang_up()
    await pipe.connection.close()
    return received, bytes(pipe.heard)


def _obey(line: Line, told: Told) -> None:
    """As the process does; what it would say is said already."""
    if told.kind is Telling.HANG_UP:
        line.hang_up()


_frames = st.one_of(
    st.builds(Frame, st.sampled_from(sorted(RATES)), st.binary(max_size=700)),
    st.builds(Frame, st.sampled_from(sorted(RATES)), st.sampled_from([160, 320, 640, 1764, 7680]).map(bytes)),
    st.builds(Frame, st.just(int(Kind.KEY)), st.binary(min_size=1, max_size=1)),
    st.builds(Frame, st.integers(0, 255), st.binary(max_size=20)),
)
_settings = st.builds(AudioSocketSettings, payload=st.sampled_from(Payload), law=st.sampled_from(Law))


@settings(deadline=None, max_examples=150)
@given(st.lists(_frames, max_size=20), st.binary(max_size=20), st.integers(1, 4096), _settings, st.booleans())
def test_any_frames_make_a_timeline_without_gaps_and_a_proper_end(
    frames: list[Frame], rest: bytes, cut: int, settings: AudioSocketSettings, delivered: bool
) -> None:
    received, heard = asyncio.run(_carried(b"".join(map(bytes, frames)) + rest, cut, settings, delivered=delivered))

    starts = [item.frame.start for item in received if isinstance(item, Sound)]
    assert starts == [FRAME_SAMPLES * place for place in range(len(starts))]
    assert {len(item.frame.samples) for item in received if isinstance(item, Sound)} <= {FRAME_SAMPLES}
    assert all(item.code in b"0123456789*#ABCD" for item in received if isinstance(item, Key))
    assert received[-1] in (Gone("hung_up"), Gone("media"))
    assert _sent(heard)[-1] == Frame(Kind.HANG_UP)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=2_000), st.integers(1, 500), _settings, st.booleans())
def test_any_bytes_end_the_call_and_nothing_else(said: bytes, cut: int, settings: AudioSocketSettings, delivered: bool) -> None:
    received, heard = asyncio.run(_carried(said, cut, settings, delivered=delivered))

    assert received[-1] in (Gone("hung_up"), Gone("media"))
    assert {frame.kind for frame in _sent(heard)} <= {*RATES, Kind.HANG_UP}
    assert all(frame.payload for frame in _sent(heard)[:-1])


def _sent(octets: bytes) -> list[Frame]:
    """What the peer was sent, as frames; all of it must be."""
    reader = FrameReader()
    reader.feed(octets)
    sent = []
    while (frame := reader.next()) is not None:
        sent.append(frame)

    assert not reader._pending
    return sent
