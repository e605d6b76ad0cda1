"""Where the secret numbers of a call are: in words, and in time.

What comes in is a call's turns, of all speakers; what goes out is one span a number and turn. A number over several turns has one
in each; what is said between its digits in one turn is inside the span, what is said in other turns is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, TypeAlias

from engine.core.units import Seconds
from engine.privacy.kinds import Kind
from engine.privacy.lexicon import ECHOES
from engine.privacy.phrases import Excuse, Phrase, phrases_of
from engine.privacy.runs import Run, masked_runs
from engine.privacy.speech import Row, Turn, glued, row_of, with_masks
from engine.privacy.windows import kinds

_Found: TypeAlias = tuple[int, int, Run | None]  # the first and the last token, and the run they are of

MARGIN: Final = Seconds(0.25)  # recognisers' word times are off by as much


@dataclass(frozen=True, slots=True)
class Span:
    """Words of one turn that are masked."""

    turn: int
    """Which of the turns that were given."""

    first: int
    """The first word's place in its turn."""

    last: int
    """The last word's place in its turn."""

    kind: Kind

    why: str
    """For the journal: never a digit, nor how many there were."""

    start: int = 0
    """Where it begins in the first word, in characters."""

    end: int = 0
    """Where it ends in the last word, in characters."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A stretch of the call in which the sound is masked, for all speakers: the line echoes."""

    start: Seconds
    end: Seconds
    kind: Kind


def find_spans(turns: Sequence[Turn], *, suspected: frozenset[int] = frozenset()) -> tuple[Span, ...]:
    """Find what is to be masked, in the order of the turns.

    ``suspected``: turns in which every number is a secret, because another reading of the same sound holds one.
    """
    row, spans = row_of(turns), list[Span]()
    while found := list(_found(turns, row, suspected)):
        merged = _merged(found)
        spans += (_span(row, first, last, run) for first, last, run in merged)
        row = with_masks(row, ((first, last) for first, last, _ in merged))
    return tuple(sorted(spans, key=lambda span: (span.turn, span.first, span.start)))


def _found(turns: Sequence[Turn], row: Row, suspected: frozenset[int]) -> Iterator[_Found]:
    """Find what is to be masked in a row that may have masks already; each mask is a cue for its neighbours."""
    phrases = phrases_of(row)
    asked = zip(phrases, kinds(turns, row, phrases), strict=True)
    told = [_suspected(phrase) if row.tokens[phrase.first].turn in suspected else (phrase, kind) for phrase, kind in asked]
    for run in masked_runs(turns, row, told, glued(row)):
        yield from _stretches(row, run)


def _suspected(phrase: Phrase) -> tuple[Phrase, Kind]:
    return replace(phrase, weak=False, excuse=Excuse.NONE), Kind.PIN


def every_number(turn: Turn) -> tuple[Span, ...]:
    """Find all numbers of one turn, secret or not, but everyday words that stand alone ("one")."""
    row = row_of([turn])
    told: list[_Found] = [(phrase.first, phrase.last, None) for phrase in phrases_of(row) if phrase.digits > 1 or not phrase.weak]
    return tuple(_span(row, *one) for one in _merged([*_found([turn], row, frozenset()), *told]))


def time_spans(turns: Sequence[Turn], spans: Iterable[Span], margin: Seconds = MARGIN) -> tuple[TimeSpan, ...]:
    """Say when the spans were spoken, with ``margin`` on both sides; those that touch are one."""
    timed = sorted((_timed(turns, span, margin) for span in spans), key=lambda span: (span.start, span.end))
    joined: list[TimeSpan] = []
    for span in timed:
        if joined and span.start <= joined[-1].end:
            joined[-1] = replace(joined[-1], end=max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


def _timed(turns: Sequence[Turn], span: Span, margin: Seconds) -> TimeSpan:
    words = turns[span.turn].said.words
    start = max(words[span.first].start - margin, 0.0)
    return TimeSpan(Seconds(start), Seconds(words[span.last].end + margin), span.kind)


def _stretches(row: Row, run: Run) -> Iterator[_Found]:
    """Give the first and the last token in each turn, with a stretch on each side of what is masked already."""
    told = [part.phrase for part in run.parts]
    for (_, masked), phrases in groupby(
        told, key=lambda phrase: (row.tokens[phrase.first].turn, row.tokens[phrase.first].masked)
    ):
        mine = list(phrases)
        if not masked:
            yield *_with_echoes(row, mine[0].first, mine[-1].last), run


def _span(row: Row, first: int, last: int, run: Run | None) -> Span:
    begin, end = row.tokens[first], row.tokens[last]
    kind = run.kind if run else Kind.UNKNOWN
    why = f"asked for as {kind}" if run and run.asked is kind is not Kind.UNKNOWN else "digits in a row"
    return Span(begin.turn, begin.word, end.word, kind, why, begin.start, end.end)


def _with_echoes(row: Row, first: int, last: int) -> tuple[int, int]:
    """Take in a misheard digit that opens or closes the turn."""
    turn = row.tokens[first].turn
    after, before = last, first
    while _is_echo(row, after + 1, turn):
        after += 1
    while _is_echo(row, before - 1, turn):
        before -= 1
    opens = before == 0 or row.tokens[before - 1].turn != turn
    closes = after == len(row.tokens) - 1 or row.tokens[after + 1].turn != turn
    return before if opens else first, after if closes else last


def _is_echo(row: Row, place: int, turn: int) -> bool:
    inside = 0 <= place < len(row.tokens) and row.tokens[place].turn == turn
    return inside and row.tokens[place].text in ECHOES


def _merged(found: Iterable[_Found]) -> list[_Found]:
    """Join stretches that overlap; of two runs, the one that was asked for stays."""
    merged: list[_Found] = []
    for first, last, run in sorted(found, key=lambda one: (one[0], -one[1])):
        if merged and first <= merged[-1][1]:
            begin, end, before = merged[-1]
            merged[-1] = (begin, max(end, last), before if before and before.kind is not Kind.UNKNOWN else run)
        else:
            merged.append((first, last, run))
    return merged
