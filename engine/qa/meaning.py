"""What is said in other words: pieces of a turn whose sentence vectors lie close to the card's examples.

A piece is what is said between two full stops, or so many words where a recogniser writes none. It is like the examples by the
cosine of the vectors, the nearest example counting. From ``like`` on it surely is one of them, from ``perhaps`` on it may be; one
that is nearer to a counter-example is neither. Examples of one language are found in any that the encoder knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.core.call import Speaker
from engine.core.speech import CHINESE
from engine.nlu.encoder import Encoder, Matrix
from engine.nlu.wording import bare
from engine.qa.bounds import Bounds
from engine.qa.passages import Passage, span_of
from engine.qa.spans import Span, Spans
from engine.qa.terms import Listener, Term, between, overlap
from engine.qa.timeline import HeardWord

ENCODER = "universal-sentence-encoder-multilingual-3"
"""Part of the revision of every card that asks for meaning: another encoder gives other likenesses."""

_STOP = re.compile(r"[.!?;。！？；…]+(?=\s|$|[\u4e00-\u9fff])")
_MOST_WORDS = 14  # of a piece; of Chinese, characters count half
_STEP = 7


@dataclass(frozen=True, slots=True)
class Piece:
    """As much as means something of its own."""

    words: Sequence[HeardWord]

    text: str

    speaker: Speaker | None

    doubtful: bool
    """Whether so much was not understood that its likeness to anything says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """All of a call."""

    pieces: Sequence[Piece]

    vectors: Matrix
    """One row each, of unit length."""


@dataclass(frozen=True, slots=True, eq=False)
class Means(Term):
    """What means the same as one of the examples."""

    examples: Sequence[str]

    unlike: Sequence[str]
    """What does not mean it, however alike it sounds."""

    like: float

    perhaps: float
    """At most ``like``."""

    @property
    def what(self) -> Sequence[str]:
        return [f"something like: {it}" for it in self.examples]

    def find(self, listener: Listener) -> Bounds:
        sure: list[Span] = []
        maybe: list[Span] = []
        for likeness, piece in self._likest_first(listener):
            span = span_of(piece.words)
            if any(overlap(span, it) for it in sure):
                continue
            theirs = self.by in {None, piece.speaker}
            if likeness >= self.like and theirs and listener.reliable(span) and not piece.doubtful:
                sure.append(span)
            elif (likeness >= self.perhaps or piece.doubtful) and not any(overlap(span, it) for it in maybe):
                maybe.append(span)
        return between(sure, maybe)

    def nearest(self, listener: Listener, ground: Spans) -> Span | None:
        found = (span_of(piece.words) for _, piece in self._likest_first(listener))
        return next((it for it in found if Spans((it,)).within(ground)), None)

    def deaf(self, listener: Listener) -> bool:
        return listener.encoder is None or Term.deaf(self, listener)

    def _likest_first(self, listener: Listener) -> Sequence[tuple[float, Piece]]:
        if listener.encoder is None:
            return ()
        call = pieces_of(listener, listener.encoder)
        if not call.pieces:
            return ()
        known = listener.encoder.encode([bare(it) for it in (*self.examples, *self.unlike)])
        likeness = call.vectors @ known.T
        nearest = likeness[:, : len(self.examples)].max(axis=1)
        if self.unlike:
            nearest = np.where(likeness[:, len(self.examples) :].max(axis=1) < nearest, nearest, -1.0)
        found = [(float(how), it) for how, it in zip(nearest, call.pieces, strict=True) if self._whose(it)]
        return sorted(found, key=lambda it: -it[0])

    def _whose(self, piece: Piece) -> bool:
        return self.by is None or piece.speaker in {self.by, None}


def pieces_of(listener: Listener, encoder: Encoder) -> Pieces:
    """All pieces of a call; made once."""
    kept = listener.kept.get(Pieces)
    if not isinstance(kept, Pieces):
        pieces = [piece for passage in listener.passages for piece in _of_passage(passage, listener)]
        kept = listener.kept[Pieces] = Pieces(pieces, encoder.encode([it.text for it in pieces]))
    return kept


def _of_passage(passage: Passage, listener: Listener) -> Iterator[Piece]:
    text = passage.written
    most, step = (2 * it if listener.call.language == CHINESE else it for it in (_MOST_WORDS, _STEP))
    stops = [0, *(it.end() for it in _STOP.finditer(text.text)), len(text.text)]
    for start, end in pairwise(stops):
        words = text.covered(start, end)
        firsts = range(0, max(1, len(words) - most + step), step) if words else ()
        for first in firsts:
            yield _piece(words[first : first + most], passage, listener)


def _piece(words: Sequence[HeardWord], passage: Passage, listener: Listener) -> Piece:
    doubtful = sum(map(listener.doubt.joker, words)) > len(words) / 2
    return Piece(words, bare(" ".join(it.text for it in words)), passage.speaker, doubtful)
