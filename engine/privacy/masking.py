"""Turns without their secret numbers: every span is one :data:`MASK`, in the words and in all their alternatives.

Rules. A mask has no length: neither how many digits nor how many words it stands for can be seen, only when it was spoken. An
alternative reading is judged in its turn's place in the call; where the turn holds a secret, every number of it is one.
What is masked stays masked: masking twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.core.speech import Transcript, Word
from engine.core.units import Seconds
from engine.privacy.spans import Span, every_number, find_spans
from engine.privacy.speech import MASK, Turn, row_of

AROUND: Final = 12  # turns before and after one that its alternatives are judged with


@dataclass(frozen=True, slots=True)
class Masked:
    """A call that may be stored."""

    turns: tuple[Turn, ...]
    """In the order in which they were given."""

    spans: tuple[Span, ...]
    """Of the turns as they were given."""


def mask_call(turns: Sequence[Turn]) -> Masked:
    """Mask the secret numbers of a call, over all its turns and speakers."""
    spans = find_spans(turns)
    masked = tuple(
        replace(turn, said=_masked(turn.said, [span for span in spans if span.turn == place], _alternatives(turns, place, spans)))
        for place, turn in enumerate(turns)
    )
    return Masked(masked, spans)


def mask_text(text: str) -> str:
    """Mask the secret numbers of a text that stands alone."""
    turn = Turn("", _of_text(text))
    return mask_call([turn]).turns[0].said.text


def without_numbers(text: str) -> str:
    """Put a mask for every number but a lone everyday word ("one"), for text that leaves the engine unread."""
    turn = Turn("", _of_text(text))
    masked = _masked_words(turn.said.words, every_number(turn))
    return "".join(MASK if letter.isdigit() else letter for letter in "".join(word.text for word in masked))


def _alternatives(turns: Sequence[Turn], place: int, spans: Sequence[Span]) -> tuple[str, ...]:
    secret = any(span.turn == place for span in spans)
    return tuple(_masked_alternative(turns, place, text, secret=secret) for text in turns[place].said.alternatives)


def _masked_alternative(turns: Sequence[Turn], place: int, text: str, *, secret: bool) -> str:
    other, spans = other_reading(turns, place, text, secret=secret)
    return "".join(word.text for word in _masked_words(other.said.words, spans))


def other_reading(turns: Sequence[Turn], place: int, text: str, *, secret: bool) -> tuple[Turn, tuple[Span, ...]]:
    """Put ``text`` in a turn's place, and find its spans; ``secret``: whether every number in it is one."""
    begin = max(place - AROUND, 0)
    said = turns[place].said
    start = said.words[0].start if said.words else Seconds(0.0)
    other = Turn(turns[place].speaker, _of_text(text).later(start))
    if all(token.number is None for token in row_of([other]).tokens):
        return other, ()  # as most are; the rest is slow
    around = [*turns[begin:place], other, *turns[place + 1 : place + AROUND]]
    here = place - begin
    found = find_spans(around, suspected=frozenset({here} if secret else ()))
    return other, tuple(span for span in found if span.turn == here)


def _of_text(text: str) -> Transcript:
    """A text as one word, so that it stays as it was written around the masks."""
    return Transcript((Word(text, Seconds(0.0), Seconds(0.0)),) if text else ())


def _masked(said: Transcript, spans: Iterable[Span], alternatives: tuple[str, ...]) -> Transcript:
    return replace(said, words=_masked_words(said.words, spans), alternatives=alternatives)


def _masked_words(words: Sequence[Word], spans: Iterable[Span]) -> tuple[Word, ...]:
    """Put the masks in from the right, so that places on the left stay true."""
    masked = list(words)
    for span in sorted(spans, key=lambda span: (span.first, span.start), reverse=True):
        first, last = masked[span.first], masked[span.last]
        text = first.text[: span.start] + MASK + last.text[span.end :]
        masked[span.first : span.last + 1] = [Word(text, first.start, last.end)]
    return tuple(masked)
