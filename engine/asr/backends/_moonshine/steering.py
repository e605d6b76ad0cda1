"""How a decode is led: what may be said next, and what is leaned towards.

One :class:`Steering` leads one row of a batch; rows of one batch may be led differently. It sees the model's natural
log-probabilities of all tokens, shape ``(vocabulary,)``, and answers with the token to say.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.asr.grammars import TokenAutomaton

Logprobs: TypeAlias = npt.NDArray[np.float32]
"""Natural log-probabilities of all tokens, shape ``(vocabulary,)``."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One step's choice."""

    token: int

    logprob: float
    """What the model itself thinks of it, without any lead."""

    allowed: float = 0.0
    """Natural logarithm of the probability of everything that was allowed; 0.0 = the model would have stayed inside anyway."""

    second: int | None = None
    """The next likeliest token, where it was looked for."""

    behind: float = math.inf
    """How far the second is behind, in natural log-probability."""


class Steering(Protocol):
    """Leads one row, token by token, from the beginning of its text to its end."""

    def choose(self, logprobs: Logprobs) -> Chosen:
        """Say the next token."""


class Freely:
    """The likeliest token, once the beginning was said that is given."""

    def __init__(self, beginning: Sequence[int] = ()) -> None:
        self._given = list(reversed(beginning))

    def choose(self, logprobs: Logprobs) -> Chosen:
        """Say the likeliest token."""
        if self._given:
            token = self._given.pop()
            return Chosen(token, float(logprobs[token]))
        second, token = np.argpartition(logprobs, -2)[-2:].tolist()  # the likeliest is the last
        logprob = float(logprobs[token])
        return Chosen(token, logprob, second=second, behind=logprob - float(logprobs[second]))


class Within:
    """The likeliest token that a grammar allows."""

    def __init__(self, automaton: TokenAutomaton) -> None:
        self._automaton = automaton
        self._place = automaton.start

    def choose(self, logprobs: Logprobs) -> Chosen:
        """Say the likeliest token that is allowed here."""
        allowed = np.fromiter(self._automaton.allowed(self._place), dtype=np.int64)
        inside = logprobs[allowed]
        token = int(allowed[inside.argmax()])
        self._place = self._automaton.step(self._place, token)
        return Chosen(token, float(logprobs[token]), float(np.logaddexp.reduce(inside)))


class Leaning:
    """The likeliest token, with a small bonus for going on with a phrase, or beginning one.

    The bonus (natural logarithm, per token) is what a phrase may lack against the likeliest text. What a begun phrase was given
    is not taken back when it breaks off, so a led text is only a proposal: the reader compares whole texts by their natural
    probabilities.
    """

    def __init__(self, phrases: PhraseTrie, bonus: float) -> None:
        self._phrases = phrases
        self._bonus = bonus
        self._open: tuple[PhraseTrie, ...] = ()

    def choose(self, logprobs: Logprobs) -> Chosen:
        """Say the likeliest token after the bonus."""
        favoured = [token for node in (self._phrases, *self._open) for token in node.branches]
        led = logprobs.copy()
        led[favoured] += np.float32(self._bonus)
        token = int(led.argmax())
        self._open = tuple(node.branches[token] for node in (self._phrases, *self._open) if token in node.branches)
        return Chosen(token, float(logprobs[token]))


@dataclass(frozen=True, slots=True)
class PhraseTrie:
    """The spellings of phrases, token by token."""

    branches: dict[int, PhraseTrie] = field(default_factory=dict)

    @classmethod
    def of(cls, spellings: Iterable[Sequence[int]]) -> PhraseTrie:
        """Build it."""
        root = cls()
        for spelling in spellings:
            node = root
            for token in spelling:
                node = node.branches.setdefault(token, cls())
        return root
