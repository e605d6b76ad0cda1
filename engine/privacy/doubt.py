"""Turns that may hold more of a secret than their words show, so that only masking them whole is safe.

* Another reading of the same sound shows more digits of a secret: its words have no times.
* Nobody understood the turn, and had it been two digits, they would have been a secret: somebody was asked for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from engine.core.units import Confidence
from engine.privacy.lexicon import Role
from engine.privacy.masking import AROUND, other_reading
from engine.privacy.spans import Span
from engine.privacy.speech import Token, Turn, row_of
from engine.privacy.windows import cues

_NOT_UNDERSTOOD: Final = Confidence(0.1)  # that every word is right
_MORE: Final = 2  # digits; one more is an edge that margins cover
_TWO_DIGITS: Final = "4 7"


def doubtful(turns: Sequence[Turn], spans: Sequence[Span]) -> frozenset[int]:
    """Give the turns that must be masked whole; ``spans`` are those of the turns."""
    return frozenset(place for place in range(len(turns)) if _tells_less(turns, place, spans) or _is_unheard_answer(turns, place))


def _tells_less(turns: Sequence[Turn], place: int, spans: Sequence[Span]) -> bool:
    mine = [span for span in spans if span.turn == place]
    told = _digits(turns[place], mine)
    for text in turns[place].said.alternatives:
        other, found = other_reading(turns, place, text, secret=bool(mine))
        if _digits(other, found) >= told + _MORE:
            return True
    return False


def _is_unheard_answer(turns: Sequence[Turn], place: int) -> bool:
    sure = turns[place].said.confidence
    if (
        sure is None
        or sure >= _NOT_UNDERSTOOD
        or not any(cues(row_of([turn])) for turn in turns[max(place - AROUND, 0) : place + 1])
    ):
        return False
    return bool(other_reading(turns, place, _TWO_DIGITS, secret=False)[1])


def _digits(turn: Turn, spans: Iterable[Span]) -> int:
    """Count the digits in spans of a turn, each word for one."""
    tokens = [token for token in row_of([turn]).tokens if any(_lies_in(token, span) for span in spans)]
    numbers = [token.number for token in tokens if token.number is not None]
    return sum(number.value if number.role is Role.NUMERAL else 1 for number in numbers)


def _lies_in(token: Token, span: Span) -> bool:
    after = (token.word, token.start) >= (span.first, span.start)
    return after and (token.word, token.end) <= (span.last, span.end)
