"""Numbers that belong together, and which of them are masked.

Numbers of one speaker, and numbers of the whole call, are put together where little stands between them: words that part nothing,
a few unknown ones (recognition errors, or half a sentence of the other speaker), and not too much time. Then:

====================================== =====================================================================================
asked for as                           masked from
====================================== =====================================================================================
PIN, security code, one-time code      one digit that is no everyday word, or two that are
card, account, identity, phone         two digits
nothing                                four digits without an unknown word between them, or seven; a lone quantity is not
====================================== =====================================================================================

Luhn's check digit decides nothing: one misheard digit would leave the card readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from engine.core.units import Seconds
from engine.privacy.kinds import Kind
from engine.privacy.lexicon import ECHOES
from engine.privacy.phrases import Excuse, Phrase
from engine.privacy.speech import Row, Turn

PAUSE: Final = Seconds(20.0)  # between two parts of one number
_UNKNOWN_WORDS: Final = {(False, True): 0, (False, False): 2, (True, True): 2, (True, False): 4}
"""Between two parts, by whether they were asked for, and whether one of them is an everyday word."""
_GLUE: Final = 16  # words of any sort
_IN_A_ROW: Final = 4
_IN_PIECES: Final = 7
_CARD: Final = range(12, 25)
_WHOLE: Final = 7  # digits beyond which a loose single one at the edge is no part of the number


@dataclass(frozen=True, slots=True)
class Part:
    """One phrase of a run."""

    phrase: Phrase

    kind: Kind | None

    gap: int
    """Unknown words between the part before and this one."""


@dataclass(frozen=True, slots=True)
class Run:
    """Parts of one number."""

    parts: tuple[Part, ...]

    @property
    def asked(self) -> Kind | None:
        """What it was asked for as; of several, what was asked for first."""
        return next((part.kind for part in self.parts if part.kind), None)

    @property
    def digits(self) -> int:
        """How many it has, at most."""
        return sum(part.phrase.digits for part in self.parts)

    @property
    def kind(self) -> Kind:
        """What it is taken for."""
        if self.asked not in {None, Kind.UNKNOWN}:
            return self.asked or Kind.UNKNOWN
        return Kind.CARD if self.digits in _CARD else Kind.UNKNOWN


def masked_runs(
    turns: Sequence[Turn], row: Row, found: Sequence[tuple[Phrase, Kind | None]], glue: frozenset[int]
) -> Iterator[Run]:
    """Give the runs to be masked: each speaker's by themselves, and those of the whole call."""
    numbers = [(phrase, kind) for phrase, kind in found if _counts(phrase, kind)]
    everybody = range(len(row.tokens))
    speakers = dict.fromkeys(turns[token.turn].speaker for token in row.tokens)
    streams = [[place for place in everybody if turns[row.tokens[place].turn].speaker == name] for name in speakers]
    for stream in (everybody, *streams) if len(speakers) > 1 else (everybody,):
        places = {place: rank for rank, place in enumerate(stream)}
        mine = [number for number in numbers if number[0].first in places]
        for run in _runs(turns, row, mine, places, glue):
            yield from (piece for piece in _pieces(run) if _is_secret(piece))


def _counts(phrase: Phrase, kind: Kind | None) -> bool:
    """Where a short secret was asked for, only a unit excuses a number."""
    least = Excuse.UNIT if kind and kind.short else Excuse.PLACE
    return phrase.excuse < least


def _runs(
    turns: Sequence[Turn],
    row: Row,
    numbers: Iterable[tuple[Phrase, Kind | None]],
    places: dict[int, int],
    glue: frozenset[int],
) -> Iterator[Run]:
    stream = list(places)
    parts: list[Part] = []
    for phrase, kind in numbers:
        before = parts[-1].phrase if parts else None
        between = stream[places[before.last] + 1 : places[phrase.first]] if before else []
        gap = sum(place not in glue and not (kind and row.tokens[place].text in ECHOES) for place in between)
        part = Part(phrase, kind, gap)
        near = before and _is_near(part, parts[-1], len(between)) and _pause(turns, row, before, phrase) <= PAUSE
        if before and not near:
            yield Run(tuple(parts))
            parts = []
        parts.append(part if parts else Part(phrase, kind, 0))
    if parts:
        yield Run(tuple(parts))


def _is_near(part: Part, before: Part, words: int) -> bool:
    if len({part.kind, before.kind} - {None, Kind.UNKNOWN}) > 1:
        return False
    weak = part.phrase.weak or before.phrase.weak
    return words <= _GLUE and part.gap <= _UNKNOWN_WORDS[part.kind is not None, weak]


def _pause(turns: Sequence[Turn], row: Row, before: Phrase, phrase: Phrase) -> Seconds:
    last, first = row.tokens[before.last], row.tokens[phrase.first]
    return Seconds(turns[first.turn].said.words[first.word].start - turns[last.turn].said.words[last.through].end)


def _pieces(run: Run) -> Iterator[Run]:
    """Part a single digit that hangs loosely at the edge of a long number from it: "... 1111 and I have two"."""
    parts, loose = run.parts, 4 if run.asked else 0
    if run.digits <= _WHOLE or (run.asked and run.asked.short):
        yield run
        return
    first, last = 0, len(parts)
    while last - first > 1 and parts[last - 1].gap > loose and parts[last - 1].phrase.digits == 1:
        last -= 1
    while last - first > 1 and parts[first + 1].gap > loose and parts[first].phrase.digits == 1:
        first += 1
    yield from (Run(piece) for piece in (parts[:first], parts[first:last], parts[last:]) if piece)


def _is_secret(run: Run) -> bool:
    asked = run.asked
    if asked and asked.short:
        return run.digits >= 2 or any(not part.phrase.weak for part in run.parts)
    if asked:
        return run.digits >= 2
    lone = len(run.parts) == 1 and run.parts[0].phrase.quantity
    return not lone and (_longest(run) >= _IN_A_ROW or run.digits >= _IN_PIECES)


def _longest(run: Run) -> int:
    """The most digits without an unknown word between them."""
    best = here = 0
    for part in run.parts:
        here = part.phrase.digits + (0 if part.gap else here)
        best = max(best, here)
    return best
