"""Regular expressions over what one says in a turn: lower case, no punctuation, one space between words (:mod:`passages`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from engine.core.units import Language
from engine.qa.automaton import BLANK, SKIP, Automaton, Found
from engine.qa.bounds import Bounds
from engine.qa.passages import Text, span_of
from engine.qa.spans import Span, Spans
from engine.qa.terms import Listener, Term, between
from engine.qa.timeline import HeardWord

_MOST_MISHEARD = 2_000  # words of a turn that are read so: a quarter of an hour, and a bound to the time it takes
_FEWEST_WITH_ONE_MISHEARD = 3  # words of a match; of fewer, nearly anything could be it


@dataclass(frozen=True, slots=True, eq=False)
class Regex:
    """One expression, ready to search."""

    text: str
    """As the card has it."""

    automaton: Automaton


@dataclass(frozen=True, slots=True, eq=False)
class Matches(Term):
    """What one of the expressions fits."""

    regexes: Mapping[Language, Sequence[Regex]]

    @property
    def what(self) -> Sequence[str]:
        return [f"/{it.text}/" for known in self.regexes.values() for it in known]

    def find(self, listener: Listener) -> Bounds:
        sure: list[Span] = []
        maybe: list[Span] = []
        for passage, theirs in listener.of(self.by):
            text = passage.plain
            for regex in self._here(listener):
                found = [text.covered(*it) for it in _in_words(regex.automaton.search(text.text), text)]
                sure += [span_of(it) for it in found if theirs and listener.certain(it)]
                maybe += [span_of(it) for it in found]
                maybe += _perhaps(regex.automaton, text, listener)
        return between(sure, maybe)

    def nearest(self, listener: Listener, ground: Spans) -> Span | None:
        """The place from which the text goes on longest as the expression wants it."""
        far: list[tuple[int, Span]] = []
        for passage, _ in listener.of(self.by):
            text = passage.plain
            inside = set(Spans(tuple(map(_one, text.words))).within(ground))
            starts = [start for start, word in zip(text.starts, text.words, strict=True) if _one(word) in inside]
            for regex in self._here(listener):
                found = regex.automaton.furthest(text.text, starts)
                words = text.covered(*found) if found else ()
                far += [(found.end - found.start, span_of(words))] if found and words else []
        return max(far, key=lambda it: it[0])[1] if far else None

    def deaf(self, listener: Listener) -> bool:
        return listener.call.language not in self.regexes or Term.deaf(self, listener)

    def _here(self, listener: Listener) -> Sequence[Regex]:
        return self.regexes.get(listener.call.language, ())


def _one(word: HeardWord) -> Span:
    return Span(word.start, word.end)


def _in_words(found: Iterator[Found], text: Text) -> Iterator[Found]:
    """Those of which something is a word; a space alone is nothing that anybody said."""
    return (it for it in found if text.covered(*it))


def _perhaps(wanted: Automaton, text: Text, listener: Listener) -> Iterator[Span]:
    """Where it may have been said, the doubtful words taken for what they may have been."""
    symbols = list(text.text)
    doubtful = [at for at, word in enumerate(text.words) if listener.doubt.joker(word)]
    for at in doubtful:
        _blank(symbols, text, at)
    if doubtful:
        yield from (span_of(text.covered(*it)) for it in _in_words(wanted.search(symbols), text))
    if listener.call.by_machine:
        yield from _misheard_once(wanted, text)


def _misheard_once(wanted: Automaton, text: Text) -> Iterator[Span]:
    """Where it would be if one word were another, of a recogniser that does not say how sure it is."""
    words = islice(zip(text.starts, text.ends, text.words, strict=True), _MOST_MISHEARD)
    unsaid = {start: end for start, end, word in words if word.confidence is None}
    found = (text.covered(*it) for it in wanted.search_misheard(text.text, unsaid))
    return (span_of(it) for it in found if len(it) >= _FEWEST_WITH_ONE_MISHEARD)


def _blank(symbols: list[str], text: Text, at: int) -> None:
    """Let a word be any."""
    start, end = text.starts[at], text.ends[at]
    symbols[start:end] = [BLANK, *[SKIP] * (end - start - 1)]
