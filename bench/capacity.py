"""How many calls at once does this machine carry?

Callers in real time through one door of an engine in processes of its own. Each says a sentence of two seconds every ten, over
the prompt that plays, and is answered. Every frame carries a number, both ways, so that what is lost is counted, not guessed:
towards the engine in its recordings, towards the caller in what came back. The number of calls is raised until a limit is
broken, and then sought between the last two steps:

* with a stub for a recogniser, what the media carry: the most calls with under 0.1 % of frames lost, and no more than 1 % of
  the outgoing frames later than 30 ms after the one before;
* with a real one: the most calls of which 95 % of turns are answered within 800 ms from the true end of speech.

Then the engine is started with that number as its ``calls.max_calls``, and a burst of 50 more calls comes in within a second
while so many are on the line: all are to be refused, and those who talk shall not notice.

The load shares the machine's cores with the engine, so the figures are what is left to the engine: a lower bound.

    python -m bench.capacity --door audiosocket --recogniser stub
    python -m bench.capacity --door sip --recogniser moonshine --calls 10 --calls 20
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.capacity_engine import STUB, Engine, Used, Wanted, engine
from bench.capacity_judge import Outgoing, Tally, incoming, outgoing
from bench.capacity_lines import AudioSocketLine, TwilioLine
from bench.capacity_load import Line, Load, Script, script
from bench.capacity_sip import SipLine
from bench.capacity_stamps import Codes, Found, found, hum, stamped
from bench.card import Percentiles, Row, percentiles, progress, report
from bench.latency import utterances
from engine.audio.files import read
from engine.audio.g711 import Law, encode
from engine.core.audio import FRAME, FRAME_SAMPLES, Samples

QUESTION = "How many calls at once does this machine carry?"
_STEPS = {STUB: (25, 50, 75, 100, 125, 150, 200), "": (5, 10, 15, 20, 30, 40)}
_LENGTH = 24.0  # seconds of a call
_LAST = 0.5  # seconds of a call that are not judged: they may be on their way when it is hung up
_WARM_UP = 6.0  # seconds of a call
_EVERY = 10.0  # seconds from one sentence of a caller to the next
_RATE = 40.0  # calls a second, while they are placed
_LINE_NOISE = 12.0  # RMS; no telephone line is digitally silent
_BURST, _BURST_RATE = 50, 50.0  # calls, and calls a second
_MOST_LOST, _LONGEST_GAP, _LONGEST_WAIT = 0.001, 0.030, 0.800  # of 1, seconds, seconds
_UNANSWERED = 0.01  # of all turns


@dataclass(frozen=True, slots=True)
class Reading:
    """What one number of calls has shown."""

    calls: int
    sent: Tally
    back: Outgoing
    late: Percentiles
    """By how much the load was late itself; seconds."""
    before: Used
    after: Used

    @property
    def gaps(self) -> Percentiles:
        """Between frames of one prompt; seconds."""
        return percentiles([gap for _, gap in self.back.gaps] or [math.inf])

    @property
    def waits(self) -> Percentiles:
        """From the end of speech to the reply; seconds."""
        return percentiles([wait for _, wait in self.back.replies] or [math.inf])

    @property
    def carries_media(self) -> bool:
        """Whether hardly a frame was lost or late."""
        whole = max(self.sent.share, self.back.frames.share) < _MOST_LOST and not self.back.cut_short
        return whole and self.gaps.p99 <= _LONGEST_GAP

    @property
    def answers(self) -> bool:
        """Whether callers were answered in time."""
        asked = self.back.unanswered + len(self.back.replies)
        return self.waits.p95 <= _LONGEST_WAIT and self.back.unanswered <= _UNANSWERED * asked and not self.back.cut_short

    def holds(self, recogniser: str) -> bool:
        """Whether so many calls may be let in."""
        return self.carries_media if recogniser == STUB else self.answers

    def row(self) -> Row:
        """One line of the table."""
        seconds = self.after.at - self.before.at
        return {
            "calls": self.calls,
            "lost %": {"in": round(100 * self.sent.share, 3), "out": round(100 * self.back.frames.share, 3)},
            "gap ms": {**_spread(self.gaps, "p50", "p99"), "max": _ms(max((gap for _, gap in self.back.gaps), default=math.inf))},
            "reply ms": _spread(self.waits, "p50", "p95", "p99"),
            "turns": {"answered": len(self.back.replies), "not": self.back.unanswered},
            "cut short": self.back.cut_short,
            "CPU %": {
                "media": round(100 * (self.after.media - self.before.media) / seconds),
                "others": round(100 * (self.after.others - self.before.others) / seconds),
                "load": round(100 * (self.after.load - self.before.load) / seconds),
            },
            "load late p99 ms": _ms(self.late.p99),
            "memory MiB": round(self.after.memory_mib),
            "descriptors": self.after.descriptors,
            "threads": self.after.threads,
        }


class Bench:
    """One door, one recogniser."""

    def __init__(self, wanted: Wanted, folder: Path) -> None:
        self.wanted = wanted
        self._folder = folder
        self._sentences = [_frames(said.sound.samples) for said in utterances(None)[:3]]
        self._engines = 0

    def search(self, steps: Sequence[int]) -> tuple[int, list[Reading]]:
        """Start an engine and seek the most calls that hold; 0 = none do."""
        with engine(self._next_folder(), self.wanted) as running:
            self.warm_up(running)
            return self.searched(running, steps)

    def searched(self, running: Engine, steps: Sequence[int]) -> tuple[int, list[Reading]]:
        """Raise the calls until they are too many, then seek between; the most that hold (0 = none do), and all readings."""
        readings: list[Reading] = []
        most = 0
        for calls in steps:
            readings.append(self.reading(running, calls))
            if not readings[-1].holds(self.wanted.recogniser):
                return self._between(running, most, calls, readings), readings
            most = calls
        return most, readings

    def _between(self, running: Engine, good: int, bad: int, readings: list[Reading]) -> int:
        while bad - good > max(1, good // 8):
            readings.append(self.reading(running, (good + bad) // 2))
            if readings[-1].holds(self.wanted.recogniser):
                good = readings[-1].calls
            else:
                bad = readings[-1].calls
        return good

    def reading(self, running: Engine, calls: int) -> Reading:
        """Measure one number of calls."""
        progress(f"{self.wanted.door}, {self.wanted.recogniser}: {calls} calls ...")
        load = Load(self.lines(running, calls))
        return self._measured(running, load)

    def refusals(self, calls: int) -> list[Row]:
        """Let a burst of calls in on a full engine; what those on the line noticed before, during and after it."""
        wanted = Wanted(self.wanted.door, self.wanted.recogniser, self.wanted.second, max_calls=calls)
        with engine(self._next_folder(), wanted) as running:
            self.warm_up(running)
            progress(f"{wanted.door}, {wanted.recogniser}: {_BURST} calls above {calls} ...")
            strangers = self.lines(running, _BURST)
            begins = calls / _RATE + _LENGTH / 2
            visits = [(begins + number / _BURST_RATE, line) for number, line in enumerate(strangers)]
            load = Load(self.lines(running, calls), visits)
            reading = self._measured(running, load)
        return _compared(reading, strangers, load.began + begins)

    def warm_up(self, running: Engine) -> None:
        """The first calls find cold caches."""
        Load(self.lines(running, 2)).run(_WARM_UP, _RATE)

    def lines(self, running: Engine, calls: int) -> list[Line]:
        """Callers, each with a mark of its own, who talk at moments of their own."""
        dice = np.random.default_rng(calls)
        quiet = _frames(hum(round(_LENGTH / FRAME) + 50, _LINE_NOISE))
        lines = []
        for number in range(calls):
            sentence = self._sentences[number % len(self._sentences)]
            spoken = script(quiet, sentence, first=dice.uniform(2.0, 2.0 + _EVERY), every=_EVERY)
            marked = Script(stamped(spoken.frames, number % 256), spoken.sentences)
            lines.append(_LINES[self.wanted.door](running, marked))
        return lines

    def _measured(self, running: Engine, load: Load) -> Reading:
        for old in running.recordings():
            old.unlink()
        used: list[Used] = []
        placed = len(load.lines) / _RATE + 1.0
        load.moments = [(at, lambda: used.append(running.used())) for at in (placed, _LENGTH - _LAST)]
        load.run(_LENGTH, _RATE)
        until = load.began + _LENGTH - _LAST  # then the first hangs up, and soon all do at once, which is nobody's day
        sent = incoming(_recorded(running, load.lines), until)
        late = percentiles(load.lateness or [math.inf])
        return Reading(len(load.lines), sent, outgoing(load.lines, until), late, *used)

    def _next_folder(self) -> Path:
        self._engines += 1
        return self._folder / f"engine-{self._engines}"


def _audiosocket(running: Engine, script: Script) -> Line:
    return AudioSocketLine(script, running.address("audiosocket"))


def _twilio(running: Engine, script: Script) -> Line:
    return TwilioLine(script, running.address("twilio"), running.doors["twilio"])


def _sip(running: Engine, script: Script) -> Line:
    return SipLine(script, running.address("sip"))


_LINES: Mapping[str, Callable[[Engine, Script], Line]] = {"audiosocket": _audiosocket, "twilio": _twilio, "sip": _sip}


def _frames(samples: Samples) -> Codes:
    """Mu-law in frames; the last one is filled up with silence."""
    whole = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES))
    return np.frombuffer(encode(whole, Law.ULAW), np.uint8).reshape(-1, FRAME_SAMPLES)


def _recorded(running: Engine, lines: Sequence[Line]) -> Iterator[tuple[Line, Found]]:
    """The stamps in each caller's recording; a call without one has none."""
    heard = {}
    for path in running.recordings():
        stamps = found(np.frombuffer(encode(read(path).channels[0].samples, Law.ULAW), np.uint8))
        if len(stamps.marks):
            heard[int(np.bincount(stamps.marks).argmax())] = stamps
    nothing = found(np.zeros(0, np.uint8))
    for number, line in enumerate(lines):
        yield line, heard.get(number, nothing)


def _compared(reading: Reading, strangers: Sequence[Line], began: float) -> list[Row]:
    """What a burst of strangers did to those on the line, and what became of the strangers."""
    ended = began + len(strangers) / _BURST_RATE + 1.0
    spans = {"before": (0.0, began), "during": (began, ended), "after": (ended, math.inf)}
    rows = [_span(name, reading.back, *span) for name, span in spans.items()]
    refused = [line.closed - line.placed for line in strangers if line.closed]
    gone = percentiles(refused or [math.inf])
    told = {"refused": len(refused), "let in": len(strangers) - len(refused), "told after ms": _spread(gone, "p50", "p99")}
    return [*rows, {"who": "strangers", **told}]


def _span(name: str, back: Outgoing, begins: float, ends: float) -> Row:
    gaps = [gap for at, gap in back.gaps if begins <= at < ends]
    waits = [wait for at, wait in back.replies if begins <= at < ends]
    gap, wait = percentiles(gaps or [math.inf]), percentiles(waits or [math.inf])
    return {
        "when": name,
        "gap ms": {**_spread(gap, "p50", "p99"), "max": _ms(max(gaps, default=math.inf))},
        "reply ms": _spread(wait, "p50", "p95", "p99"),
        "turns": len(waits),
    }


def _spread(found: Percentiles, *names: str) -> Row:
    return {name: _ms(getattr(found, name)) for name in names}


def _flat(row: Row) -> Row:
    """What belongs together in one column, for people."""
    return {
        f"{name} {' / '.join(value)}" if isinstance(value, dict) else name: (
            " / ".join(map(str, value.values())) if isinstance(value, dict) else value
        )
        for name, value in row.items()
    }


def _ms(seconds: float) -> float | None:
    return round(1000 * seconds, 1) if math.isfinite(seconds) else None


def run(wanted: Wanted, steps: Sequence[int] = (), *, json: bool = False) -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        bench = Bench(wanted, Path(place))
        most, readings = bench.search(steps or _STEPS.get(wanted.recogniser, _STEPS[""]))
        refusals = bench.refusals(most) if most else []
    notes = [
        f"door {wanted.door}, recogniser {wanted.recogniser}, second opinion {wanted.second or 'none'}; synthetic speech",
        f"calls.max_calls = {most}" if most else "no number of calls held",
        *(f"{_BURST} calls above {most}: {_said(row)}" for row in refusals),
    ]
    rows = [reading.row() for reading in readings]
    if json:
        setting = {"door": wanted.door, "recogniser": wanted.recogniser, "max_calls": most}
        report(QUESTION, [{**setting, "readings": rows, "refusals": refusals}], json=True)
    else:
        report(QUESTION, [_flat(row) for row in rows], notes=notes)


def _said(row: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in _flat(row).items())


def main(arguments: Sequence[str] | None = None) -> None:
    """``python -m bench.capacity``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--door", choices=sorted(_LINES), default="audiosocket")
    parser.add_argument("--recogniser", default=STUB, help=f"a registered name, or {STUB!r}: one that costs nothing (default)")
    parser.add_argument("--second", default="", help="who gives second opinions (default: nobody)")
    parser.add_argument("--calls", type=int, action="append", help="steps of the search; may be repeated")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    run(Wanted(chosen.door, chosen.recogniser, chosen.second), chosen.calls or (), json=chosen.json)


if __name__ == "__main__":
    main()
