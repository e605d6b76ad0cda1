"""A second opinion on spoken digits, from the encoder's states alone.

The decoder is a writer: on hurried digits its habits of language get the better of its ear (``66`` becomes ``68``, a pause
becomes ``8888``). Two small layers over the encoder's states hear single frames and have no habits; their mistakes are others.
The two are joined as in hybrid CTC/attention recognition (Watanabe et al., 2017): the ear proposes strings, both score them.

States of the ear: the ten digits and a pause, one of them for each of the encoder's frames (about 42 a second). A string is said
by staying or moving on; between two equal digits there is a pause. ``python -m bench.digit_ear`` fits it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]

PAUSE = 10  # after the ten digits
MOVE = -5.0  # logarithm; the price of going from one state to the next, so that a flicker is no digit
SHORTEST = 2  # frames; 50 ms
_NEVER = np.float32(-1e9)
_FILE = Path(__file__).with_name("digit_ear.npz")


@dataclass(frozen=True, slots=True, eq=False)
class DigitEar:
    """The fitted layers."""

    inner: Floats
    """Shape ``(288, units)``."""

    inner_bias: Floats
    """Shape ``(units,)``."""

    outer: Floats
    """Shape ``(units, 11)``."""

    outer_bias: Floats
    """Shape ``(11,)``."""

    @classmethod
    def shipped(cls) -> DigitEar:
        """The layers that come with the engine, for the pinned weights of Moonshine tiny."""
        with np.load(_FILE) as arrays:
            return cls(*(arrays[layer.name].astype(np.float32) for layer in fields(cls)))

    def save(self, file: Path = _FILE) -> None:
        """Write them, in half precision."""
        np.savez_compressed(file, **{layer.name: getattr(self, layer.name).astype(np.float16) for layer in fields(self)})

    def hear(self, states: Floats) -> Floats:
        """Natural log-probabilities of the ear's states for each frame: ``(T, 288)`` to ``(T, 11)``."""
        logits = np.maximum(states @ self.inner + self.inner_bias, 0.0) @ self.outer + self.outer_bias
        logits -= logits.max(axis=1, keepdims=True)
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), dtype=np.float32)


def likeliest(heard: Floats) -> str:
    """The digits on the best path (Viterbi)."""
    score = np.full(PAUSE + 1, _NEVER)
    score[PAUSE] = 0.0
    came_from = []
    for frame in heard:
        moved = score.max() + MOVE
        came_from.append(np.where(score >= moved, np.arange(PAUSE + 1), score.argmax()))
        score = np.maximum(score, moved) + frame
    path = [int(score.argmax())]
    for back in reversed(came_from[1:]):
        path.append(int(back[path[-1]]))
    runs = ((state, len(list(run))) for state, run in groupby(reversed(path)))
    return "".join(str(state) for state, length in runs if state != PAUSE and length >= SHORTEST)


def scores(heard: Floats, strings: Sequence[str]) -> Floats:
    """The best path's log-probability of each string, shape ``(strings,)``."""
    states = _paths(strings)
    emitted = heard[:, states]  # (T, strings, places)
    score = np.full(states.shape, _NEVER, dtype=np.float32)
    score[:, :2] = emitted[0, :, :2]
    skips = np.zeros(states.shape, dtype=bool)  # from a digit to the next without a pause
    skips[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    for frame in emitted[1:]:
        one, two = np.full_like(score, _NEVER), np.full_like(score, _NEVER)
        one[:, 1:] = score[:, :-1] + MOVE
        two[:, 2:] = np.where(skips[:, 2:], score[:, :-2] + MOVE, _NEVER)
        score = np.maximum(np.maximum(score, one), two) + frame
    last = 2 * np.array([len(string) for string in strings])
    rows = np.arange(len(strings))
    return np.asarray(np.maximum(score[rows, last], score[rows, np.maximum(last - 1, 0)]))


def near(digits: str) -> set[str]:
    """``digits``, and all strings that differ in one digit, or have one more or one less."""
    whole = range(len(digits) + 1)
    changed = {digits[:at] + digit + digits[at + 1 :] for at in whole[:-1] for digit in "0123456789"}
    longer = {digits[:at] + digit + digits[at:] for at in whole for digit in "0123456789"}
    shorter = {digits[:at] + digits[at + 1 :] for at in whole[:-1]}
    return (changed | longer | shorter | {digits}) - {""}


def _paths(strings: Sequence[str]) -> npt.NDArray[np.int64]:
    """Pause, digit, pause, digit ... pause for each string, filled up with pauses, shape ``(strings, places)``."""
    places = 2 * max(map(len, strings)) + 1
    states = np.full((len(strings), places), PAUSE)
    for row, string in enumerate(strings):
        states[row, 1 : 2 * len(string) : 2] = [int(digit) for digit in string]
    return states
