"""Reads sounds: the free text, the text inside the question's grammar, and the text that leans towards the node's phrases.

The free text is always made: the guards judge it, a grammar's text is measured against it, and a leaning and other readings are
only tried where it is unsure. All further texts of a batch are made in one second decode over the same encoder states.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from engine.asr.backends._moonshine.branching import CLOSE, Choice, branches, ranked, rival
from engine.asr.backends._moonshine.bulk import BulkDecoder
from engine.asr.backends._moonshine.digit_ear import DigitEar
from engine.asr.backends._moonshine.digit_judge import DigitJudge
from engine.asr.backends._moonshine.network import Encoded, Network, Row
from engine.asr.backends._moonshine.sound import Heard
from engine.asr.backends._moonshine.steering import Freely, Leaning, PhraseTrie, Steering, Within
from engine.asr.backends._moonshine.vocabulary import END, Vocabulary
from engine.asr.grammars import TokenAutomaton, automaton
from engine.asr.protocol import Grammar, Hints
from engine.core.units import Seconds

TOKENS_A_SECOND = 6.5  # the packaged library's own cap; none of 183 clean or telephone utterances reached it
FEWEST_TOKENS = 6  # "Yes, please." cut short
DOUBT = -0.5  # log-probability of the worst token from which on a leaning and other readings are tried
BONUS = 3.0  # log-probability given to each token of a phrase; 2.0 found fewer phrases, on the half it was fitted on
MOST_LOST = 6.0  # log-probability that a led text may lack against the free one

_WORDS = re.compile(r"[a-z0-9']+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sound to be read in one go, and what the engine expects to hear."""

    heard: Heard
    hints: Hints


@dataclass(frozen=True, slots=True)
class Readings:
    """What one piece was read as."""

    free: Row
    led: Row | None = None
    """Inside the grammar, or leaning towards a phrase and worth it."""

    within: Row | None = None
    """What the grammar alone made of it, before a second opinion."""

    opinion: Mapping[str, float] = field(default_factory=dict)
    """How sure the second opinion on digits is."""

    choices: tuple[Choice, ...] = ()
    """All readings of an unsure free text, likeliest first."""

    gap: float | None = None
    """Where no other readings were made: by how much the next token was behind where the text hesitated most."""

    @property
    def rival(self) -> float:
        """How far the next reading is behind (natural log-probability)."""
        return rival(self.choices) if self.gap is None else self.gap

    @property
    def row(self) -> Row:
        """What to believe."""
        return self.led or (self.choices[0].row if self.choices else self.free)


class ReadsPieces(Protocol):
    """What a recogniser asks of a reader."""

    vocabulary: Vocabulary
    batch: int
    """Pieces read together."""

    def read(self, pieces: Sequence[Piece]) -> list[Readings]:
        """Read a batch."""

    def text(self, row: Row) -> str:
        """What a row says."""


class Reader:
    """Network and vocabulary; holds the automata of the grammars, built when they are first asked for."""

    batch = 4  # more gains little (21 -> 19 ms an utterance) and makes the first wait for the last

    def __init__(self, network: Network, vocabulary: Vocabulary, ear: DigitEar) -> None:
        self.vocabulary = vocabulary
        self._network = network
        self._judge = DigitJudge(network, vocabulary, ear)
        self._automaton = lru_cache(maxsize=None)(self._build)
        self._trie = lru_cache(maxsize=64)(self._plant)  # nodes of a flow that are live at once

    def read(self, pieces: Sequence[Piece]) -> list[Readings]:
        """Read a batch together; its rows may have different hints."""
        encoded = self._network.encode([piece.heard.sound for piece in pieces])
        free = [Row(place, Freely(), longest(piece.heard.duration)) for place, piece in enumerate(pieces)]
        self._network.decode(encoded, free)
        led = {row.sound: row for row in self._led_rows(pieces, free)}
        others = [
            other for row in free if pieces[row.sound].hints.grammar is Grammar.FREE and _unsure(row) for other in branches(row)
        ]
        if led or others:
            self._network.decode(encoded, [*led.values(), *others])
        by_sound = [tuple(other for other in others if other.sound == row.sound) for row in free]
        return [
            self._readings(encoded, row, led.get(row.sound), pieces[row.sound].hints, beside)
            for row, beside in zip(free, by_sound, strict=True)
        ]

    def _readings(self, encoded: Encoded, free: Row, led: Row | None, hints: Hints, others: tuple[Row, ...]) -> Readings:
        choices = tuple(ranked([free, *others], self._bare)) if others else ()
        if led is None:
            return Readings(free, choices=choices)
        if hints.grammar is Grammar.FREE:
            return Readings(free, self._worthy(free, led, hints.phrases), choices=choices)
        if hints.grammar is not Grammar.DIGITS:
            return Readings(free, led, led)
        digits = self._judge.digits(encoded, led)
        return Readings(free, digits.row, led, digits.opinion)

    def text(self, row: Row) -> str:
        """What a row says."""
        return self.vocabulary.text(row.tokens).strip()

    def _led_rows(self, pieces: Sequence[Piece], free: Sequence[Row]) -> list[Row]:
        leads = [(row, self._lead(piece.hints, row)) for piece, row in zip(pieces, free, strict=True)]
        return [Row(row.sound, lead, row.longest) for row, lead in leads if lead is not None]

    def _lead(self, hints: Hints, free: Row) -> Steering | None:
        if hints.grammar is not Grammar.FREE:
            return Within(self._automaton(hints.grammar))
        if hints.phrases and _unsure(free):
            return Leaning(self._trie(hints.phrases), BONUS)
        return None

    def _worthy(self, free: Row, led: Row, phrases: Sequence[str]) -> Row | None:
        """A leaning only if it holds a whole phrase that was missed, and lost little by it."""
        gained = self._phrases_in(led, phrases) - self._phrases_in(free, phrases)
        return led if gained and led.sum_logprob >= free.sum_logprob - MOST_LOST else None

    def _bare(self, row: Row) -> str:
        return plain(self.vocabulary.text(row.tokens))

    def _phrases_in(self, row: Row, phrases: Sequence[str]) -> set[str]:
        text = f" {self._bare(row)} "
        return {phrase for phrase in phrases if f" {plain(phrase)} " in text}

    def _build(self, grammar: Grammar) -> TokenAutomaton:
        return automaton(grammar, self.vocabulary.ids, END)

    def _plant(self, phrases: tuple[str, ...]) -> PhraseTrie:
        written = {form for phrase in phrases if plain(phrase) for form in (phrase, phrase.lower(), phrase.capitalize())}
        return PhraseTrie.of(self.vocabulary.ids(form) for form in written if self.vocabulary.can_write(form))


class BulkReader:
    """Reads recordings: free texts alone, many in step (:mod:`bulk`), without other readings."""

    batch = 64

    def __init__(self, network: Network, decoder: BulkDecoder, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._network, self._decoder = network, decoder

    def read(self, pieces: Sequence[Piece]) -> list[Readings]:
        """Read a batch together; its hints' grammars and phrases are not looked at."""
        heard = [self._network.encode([piece.heard.sound]).states[0] for piece in pieces]  # padded together, it costs more
        most = [longest(piece.heard.duration) for piece in pieces]
        texts = self._decoder.decode(heard, most)
        rows = [Row(place, Freely(), limit, text) for place, (limit, text) in enumerate(zip(most, texts, strict=True))]
        return [Readings(row, gap=_gap(row)) for row in rows]

    def text(self, row: Row) -> str:
        """What a row says."""
        return self.vocabulary.text(row.tokens).strip()


def _gap(row: Row) -> float:
    return min((CLOSE, *(chosen.behind for chosen in row.chosen))) if _unsure(row) else CLOSE


def _unsure(row: Row) -> bool:
    return min(chosen.logprob for chosen in row.chosen) < DOUBT


def longest(duration: Seconds) -> int:
    """How many tokens a text of this length may have."""
    return max(FEWEST_TOKENS, round(duration * TOKENS_A_SECOND))


def plain(text: str) -> str:
    """Small letters and digits, with single spaces."""
    return " ".join(_WORDS.findall(text.lower()))
