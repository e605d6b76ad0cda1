"""Regular expressions over what one says in a turn: lower case, no punctuation, one space between words (:mod:`passages`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.core.units import Language
from engine.qa.automaton import BLANK, Automaton, Found
from engine.qa.bounds import Bounds
from engine.qa.passages import Text, span_of
from engine.qa.spans import Span, Spans
from engine.qa.terms import Listener, Term, between


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
            inside = Spans(tuple(span_of([word]) for word in text.words)).within(ground).items
            starts = [start for start, word in zip(text.starts, text.words, strict=True) if span_of([word]) in inside]
            for regex in self._here(listener):
                found = regex.automaton.furthest(text.text, starts)
                words = text.covered(*found) if found else ()
                far += [(found.end - found.start, span_of(words))] if found and words else []
        return max(far, key=lambda it: it[0])[1] if far else None

    def deaf(self, listener: Listener) -> bool:
        return listener.call.language not in self.regexes or Term.deaf(self, listener)

    def _here(self, listener: Listener) -> Sequence[Regex]:
        return self.regexes.get(listener.call.language, ())


def _in_words(found: Iterator[Found], text: Text) -> Iterator[Found]:
    """Those of which something is a word; a space alone is nothing that anybody said."""
    return (it for it in found if text.covered(*it))


def _perhaps(wanted: Automaton, text: Text, listener: Listener) -> list[Span]:
    """Where it may have been said, the doubtful words taken for what they may have been."""
    doubtful = [listener.doubt.joker(it) for it in text.words]
    if not any(doubtful):
        return []
    symbols: list[str] = []
    places: list[int] = []  # of each symbol, in the text
    at = 0
    for start, end, blank in zip(text.starts, text.ends, doubtful, strict=True):
        symbols += [*text.text[at:start], *([BLANK] if blank else text.text[start:end])]
        places += [*range(at, start), *([start] if blank else range(start, end))]
        at = end
    found = (Found(places[it.start], places[it.end - 1] + 1) for it in wanted.search(symbols))
    return [span_of(text.covered(*it)) for it in _in_words(found, text)]
