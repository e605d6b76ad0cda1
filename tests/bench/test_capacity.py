"""The judge counts what was lost, late and unanswered; the load keeps time; the search finds the limit."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from bench.capacity import Bench, Reading
from bench.capacity_engine import MAIN, REPLY, STUB, Engine, Used, Wanted
from bench.capacity_judge import Outgoing, Tally, incoming, outgoing
from bench.capacity_load import Line, Load, Script, script, taken
from bench.capacity_stamps import Codes, found, hum, stamped
from bench.card import Percentiles
from engine.audio.g711 import Law, encode


def carrier(frames: int, level: float = 3_000.0) -> Codes:
    return np.frombuffer(encode(hum(frames, level), Law.ULAW), np.uint8).reshape(-1, 160)


QUIET = carrier(600, 12.0)


class Remembered(Line):
    """A call that has been: what came, and when."""

    def __init__(self, said: Script, came: Sequence[tuple[float, Codes]]) -> None:
        super().__init__(said)
        self.placed = self.opened = 1.0
        self.sent = [frame * 0.020 for frame in range(len(said.frames))]
        self._came = came

    def open(self) -> list[socket.socket]:
        return []

    def send(self) -> None:
        """Nothing."""

    def receive(self, readable: socket.socket) -> None:
        """Nothing."""

    def hang_up(self) -> None:
        """Nothing."""

    def heard(self) -> Iterator[tuple[float, Codes]]:
        yield from self._came


def coming(frames: Codes, first: float) -> list[tuple[float, Codes]]:
    return [(first + 0.020 * place, frame) for place, frame in enumerate(frames)]


def test_a_prompt_that_came_whole_lost_nothing() -> None:
    judged = outgoing([Remembered(Script(QUIET, []), coming(stamped(carrier(100), MAIN), 1.0))])

    assert (judged.frames.due, judged.frames.lost, judged.cut_short) == (100, 0, 0)
    assert max(gap for _, gap in judged.gaps) == pytest.approx(0.020)


def test_a_lost_frame_is_counted_also_where_it_was_the_first() -> None:
    frames = coming(stamped(carrier(100), MAIN), 1.0)
    judged = outgoing([Remembered(Script(QUIET, []), frames[1:50] + frames[51:])])

    assert (judged.frames.due, judged.frames.lost) == (100, 2)
    assert max(gap for _, gap in judged.gaps) == pytest.approx(0.040)


def test_a_prompt_that_was_interrupted_and_one_that_follows_are_judged_apart() -> None:
    main, reply = stamped(carrier(100), MAIN), stamped(carrier(20), REPLY)
    judged = outgoing([Remembered(Script(QUIET, []), [*coming(main[:30], 1.0), *coming(reply, 5.0), *coming(main[:10], 5.4)])])

    assert (judged.frames.due, judged.frames.lost) == (60, 0)
    assert max(gap for _, gap in judged.gaps) == pytest.approx(0.020)


def test_the_wait_ends_with_the_reply_and_not_with_the_prompt_that_goes_on() -> None:
    main, reply = stamped(carrier(300), MAIN), stamped(carrier(20), REPLY)
    came = [*coming(main[:110], 0.0), *coming(reply, 2.5)]
    judged = outgoing([Remembered(Script(QUIET, [(50, 100)]), came)])

    assert judged.replies == [(pytest.approx(1.98), pytest.approx(0.52))]


def test_a_sentence_without_a_reply_is_unanswered_and_calls_that_ended_or_were_silent_are_cut_short() -> None:
    silent = Remembered(Script(QUIET, [(50, 100)]), [])
    gone = Remembered(Script(QUIET, [(50, 100)]), [])
    gone.closed = 3.0
    judged = outgoing([silent, gone])

    assert (judged.unanswered, judged.cut_short) == (1, 2)


def test_what_the_engine_recorded_tells_what_it_lost() -> None:
    frames = stamped(QUIET, 3)
    line = Remembered(Script(frames, []), [])
    recorded = np.delete(frames, [10, 11], axis=0).reshape(-1)

    assert incoming([(line, found(recorded))]).lost == 2
    assert incoming([(line, found(recorded[:0]))]).share == 1.0


class Echo(Line):
    """A call whose other end is in this process."""

    def __init__(self) -> None:
        super().__init__(Script(QUIET, []))
        self.here, self.there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def open(self) -> list[socket.socket]:
        self.opened = time.monotonic()
        return [self.here]

    def send(self) -> None:
        self.sent.append(time.monotonic())
        self.there.send(self.script.frames[self.frame].tobytes())

    def receive(self, readable: socket.socket) -> None:
        octets, at = taken(readable)
        self.arrivals.append((at, octets))

    def hang_up(self) -> None:
        self.here.close()
        self.there.close()

    def heard(self) -> Iterator[tuple[float, Codes]]:
        yield from ()


def test_the_load_sends_fifty_frames_a_second_on_every_call_and_reads_all_that_comes() -> None:
    lines, happened = [Echo() for _ in range(4)], []
    load = Load(lines, moments=[(0.1, lambda: happened.append(time.monotonic()))])
    load.run(length=0.4, rate=100)

    assert [len(line.sent) for line in lines] == [pytest.approx(19, abs=1)] * 4
    assert [len(line.arrivals) for line in lines] == [pytest.approx(19, abs=2)] * 4
    assert len(happened) == 1
    assert len({line.here.fileno() for line in lines}) == 1  # all closed


def test_a_script_talks_at_its_moments() -> None:
    sentence = carrier(50)
    said = script(QUIET, sentence, first=2.0, every=5.0)

    assert said.sentences == [(100, 150), (350, 400)]
    assert (said.frames[100:150] == sentence).all()


@dataclass
class Pretended(Bench):
    """Carries so many calls."""

    limit: int

    def __post_init__(self) -> None:
        self.wanted = Wanted("audiosocket", STUB)

    def reading(self, running: Engine | None, calls: int) -> Reading:
        lost = Tally(1_000, 0 if calls <= self.limit else 100)
        gaps, nothing = [(1.0, 0.020)], Used(0.0, 0.0, 0.0, 0.0, 0.0, 0, 0)
        return Reading(calls, lost, Outgoing(Tally(1_000, 0), gaps), Percentiles(0.0, 0.0, 0.0), nothing, nothing)


@pytest.mark.parametrize(("limit", "most"), [(200, 100), (80, 75), (60, 56), (10, 10), (0, 0)])
def test_the_search_ends_at_the_most_that_holds_or_a_little_below(limit: int, most: int) -> None:
    found_most, readings = Pretended(limit).searched(None, (25, 50, 75, 100))

    assert found_most == most
    assert len(readings) <= 8
