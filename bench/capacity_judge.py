"""What became of every frame of a load: lost, held up, answered. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from bench.capacity_engine import MAIN, PROMPTS, REPLY
from bench.capacity_load import Line
from bench.capacity_stamps import Codes, Found, found
from engine.audio.g711 import Law, decode
from engine.core.audio import FRAME, FRAME_SAMPLES

_AUDIBLE = 60.0  # RMS of 16-bit samples; as engine.testing.caller has it
_ANSWERED_WITHIN = 5.0  # seconds
_MARKS = {mark: round(seconds / FRAME) for mark, seconds in PROMPTS.values()}


@dataclass(slots=True)
class Tally:
    """Frames that should have come, and those of them that did not."""

    due: int = 0
    lost: int = 0

    def add(self, due: int, lost: int) -> None:
        """Count more."""
        self.due += due
        self.lost += lost

    @property
    def share(self) -> float:
        """Lost, of 1; all of them where nothing was due."""
        return self.lost / self.due if self.due else 1.0


@dataclass(slots=True)
class Outgoing:
    """What callers got."""

    frames: Tally = field(default_factory=Tally)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """When, and how long after the one before it, a frame of a prompt came; seconds."""
    replies: list[tuple[float, float]] = field(default_factory=list)
    """When a caller stopped talking, and after how many seconds the reply began."""
    unanswered: int = 0
    cut_short: int = 0
    """Calls that the engine ended, never answered, or left without a word."""


def outgoing(lines: Iterable[Line], until: float = math.inf) -> Outgoing:
    """Judge what came back to the callers until a moment."""
    judged = Outgoing()
    for line in lines:
        if line.closed or not line.opened:
            judged.cut_short += 1
            continue
        came = [(at, frame) for at, frame in line.heard() if at <= until]
        times = np.array([at for at, _ in came])
        codes = np.concatenate([frame for _, frame in came]) if came else np.zeros(0, np.uint8)
        ends = np.cumsum([len(frame) for _, frame in came])  # frames of a peer that cuts otherwise are of other lengths
        stamps = found(codes)
        judged.cut_short += not len(stamps.numbers)
        arrived = times[np.searchsorted(ends, stamps.places + FRAME_SAMPLES)] if len(times) else times
        _prompts(judged, stamps, arrived)
        _replies(judged, line, came, dict(zip((stamps.places // FRAME_SAMPLES).tolist(), stamps.marks.tolist(), strict=True)))
    return judged


def _prompts(judged: Outgoing, stamps: Found, arrived: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    """Losses within each prompt, and the gaps between its frames; a prompt that was interrupted has no end."""
    begins = np.flatnonzero((np.diff(stamps.numbers, prepend=MAIN << 16) < 0) | (np.diff(stamps.marks, prepend=-1) != 0))
    for first, last in pairwise([*begins.tolist(), len(stamps.numbers)]):
        numbers, times = stamps.numbers[first:last], arrived[first:last]
        due = int(numbers[-1]) + 1
        judged.frames.add(due, due - len(set(numbers.tolist())))
        judged.gaps += zip(times[1:].tolist(), np.diff(times).tolist(), strict=True)


def _replies(judged: Outgoing, line: Line, came: Sequence[tuple[float, Codes]], marks: dict[int, int]) -> None:
    for _, end in line.script.sentences:
        if end >= len(line.sent) - round(_ANSWERED_WITHIN / FRAME):
            continue
        spoken = line.sent[end - 1]
        began = _next(came, marks, spoken)
        if began is None or began - spoken > _ANSWERED_WITHIN:
            judged.unanswered += 1
        else:
            judged.replies.append((spoken, began - spoken))


def _next(came: Sequence[tuple[float, Codes]], marks: dict[int, int], after: float) -> float | None:
    """When the reply began, or whatever else is audible and not the prompt that was interrupted."""
    for place, (at, codes) in enumerate(came):
        if at > after and marks.get(place) != MAIN and _audible(codes):
            return at
    return None


def _audible(codes: Codes) -> bool:
    return float(np.sqrt(np.mean(decode(codes.tobytes(), Law.ULAW).astype(np.float64) ** 2))) > _AUDIBLE


def incoming(recorded: Iterable[tuple[Line, Found]], until: float = math.inf) -> Tally:
    """Judge what the engine has recorded of what each caller sent until a moment."""
    frames = Tally()
    for line, stamps in recorded:
        due = sum(at <= until for at in line.sent)
        heard = set(stamps.numbers.tolist())
        frames.add(due, sum(number not in heard for number in range(due)))
    return frames


__all__ = ["MAIN", "REPLY", "Outgoing", "Tally", "incoming", "outgoing"]
