"""A regular expression as an automaton: linear time, and a word that was not surely heard may have been any.

Thompson's construction, run as a set of states (Thompson 1968, "Regular expression search algorithm"); each set's steps are
remembered, so that most characters cost one look-up. No library does the second thing: a **blank** in the text stands for any
word at all, so that one run tells whether an expression may have been said where the recogniser was unsure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from engine.qa.regex_syntax import Anchor, Chain, Choice, Node, NotRegular, One, Repeat

BLANK = "blank"
"""Stands in a text for a word that may have been any, at its first character."""

SKIP = "skip"
"""Stands for each of that word's other characters, so that places stay true."""

MOST_CHARACTERS = 500
"""Of one match; keeps the time of a search in bounds."""

_MOST_STATES = 2_000
_MOST_REMEMBERED = 5_000  # steps; thousands of calls must not fill the memory
_ACCEPT = 0
_NOWHERE: frozenset[int] = frozenset()


class State(NamedTuple):
    """One place of the automaton: what takes one from here, and to where."""

    read: One | None
    """A character that fits it; ``None``: nothing is read on the way."""

    anchor: Anchor | None
    """What must be true of the place in the text, where nothing is read."""

    after: tuple[int, ...]


class Found(NamedTuple):
    """A match, in places of the text; the end is exclusive."""

    start: int

    end: int


_Step: TypeAlias = tuple[frozenset[int], bool, str, str]
"""From these states, behind a word's character or not, by a character, at these ends of the text."""


@dataclass(frozen=True, eq=False)
class Automaton:
    """Ready to search, in one thread at a time. Make one with :func:`automaton`."""

    states: Sequence[State]

    start: int

    _steps: dict[_Step, tuple[frozenset[int], bool]] = field(default_factory=dict)

    def search(self, text: Sequence[str]) -> Iterator[Found]:
        """The longest match from the earliest place on, and so on behind it; none is empty.

        ``text``: characters, blanks and skips.
        """
        at = 0
        while at < len(text):
            end = at if text[at] == SKIP else self._longest(text, at)[0]
            if end > at:
                yield Found(at, end)
            at = max(end, at + 1)

    def search_misheard(self, text: Sequence[str], words: Mapping[int, int]) -> Iterator[Found]:
        """The same where one word may be another, of matches that begin with a word. ``words``: where each begins, and ends."""
        last = 0
        for at in words:
            if at >= last:
                last = self._longest_misheard(text, at, words)
                if last > at:
                    yield Found(at, last)

    def furthest(self, text: Sequence[str], starts: Sequence[int]) -> Found | None:
        """Of these places, the one from which the text goes on longest as the expression wants it."""
        tried = (Found(at, self._longest(text, at)[1]) for at in starts)
        return max((it for it in tried if it.end > it.start), key=lambda it: it.end - it.start, default=None)

    def _longest(self, text: Sequence[str], at: int) -> tuple[int, int]:
        """Where the longest match from ``at`` ends (``at`` where there is none), and how far it went at all."""
        now, end, behind_word = frozenset((self.start,)), at, at > 0 and _wordly(text[at - 1])
        for place in range(at, min(len(text), at + MOST_CHARACTERS) + 1):
            here = text[place] if place < len(text) else " "
            if here == SKIP:
                continue
            edges = f"{'^' if place == 0 else ''}{'$' if place == len(text) else ''}"
            now, accepted = self._step((now, behind_word, here, edges))
            if accepted:
                end = place
            if not now:
                return end, place
            behind_word = _wordly(here)
        return end, place

    def _longest_misheard(self, text: Sequence[str], at: int, words: Mapping[int, int]) -> int:
        """Two runs side by side: one with every word as it is, and one with a word behind it that was taken for any."""
        right, wrong, end, behind_word = frozenset((self.start,)), _NOWHERE, at, at > 0 and _wordly(text[at - 1])
        coming: dict[int, frozenset[int]] = {}
        for place in range(at, min(len(text), at + MOST_CHARACTERS) + 1):
            here = text[place] if place < len(text) else " "
            edges = f"{'^' if place == 0 else ''}{'$' if place == len(text) else ''}"
            wrong |= coming.pop(place, _NOWHERE)
            if place in words:
                jumped, _ = self._step((right, behind_word, BLANK, edges))
                coming[words[place]] = coming.get(words[place], _NOWHERE) | jumped
            right, _ = self._step((right, behind_word, here, edges))
            wrong, accepted = self._step((wrong, behind_word, here, edges))
            if accepted:
                end = place
            if not right and not wrong and not any(coming.values()):
                break
            behind_word = _wordly(here)
        return end

    def _step(self, step: _Step) -> tuple[frozenset[int], bool]:
        """The states after a character, and whether a match ended before it."""
        known = self._steps.get(step)
        if known is None:
            if len(self._steps) > _MOST_REMEMBERED:
                self._steps.clear()
            now, behind_word, here, edges = step
            reached = self._reached(now, edges, boundary=behind_word != _wordly(here))
            after = _NOWHERE if "$" in edges else self._read(reached, here)
            known = self._steps[step] = after, _ACCEPT in reached
        return known

    def _reached(self, states: frozenset[int], edges: str, *, boundary: bool) -> frozenset[int]:
        """All that can be got to without reading."""
        true = {Anchor.BOUNDARY: boundary, Anchor.NO_BOUNDARY: not boundary, Anchor.START: "^" in edges, Anchor.END: "$" in edges}
        found, waiting = set(states), list(states)
        while waiting:
            state = self.states[waiting.pop()]
            if state.read is None and (state.anchor is None or true[state.anchor]):
                fresh = [it for it in state.after if it not in found]
                found.update(fresh)
                waiting += fresh
        return frozenset(found)

    def _read(self, states: frozenset[int], here: str) -> frozenset[int]:
        if here != BLANK:
            return self._over(states, lambda one: one.fits(here))
        reached = _NOWHERE
        fresh = self._over(states, lambda one: one.in_words)
        while not fresh <= reached:
            reached |= fresh
            fresh = self._over(self._reached(reached, "", boundary=False), lambda one: one.in_words)
        return reached

    def _over(self, states: frozenset[int], wanted: Callable[[One], bool]) -> frozenset[int]:
        over = (self.states[it] for it in states)
        return frozenset(it for state in over if state.read and wanted(state.read) for it in state.after)


def _wordly(character: str) -> bool:
    return character == BLANK or character.isalnum()


def automaton(node: Node) -> Automaton:
    """Build one.

    Raises:
        NotRegular: it would be too large.
    """
    builder = _Builder()
    return Automaton(builder.states, builder.build(node, _ACCEPT))


@dataclass(slots=True)
class _Builder:
    states: list[State] = field(default_factory=lambda: [State(None, None, ())])

    def build(self, node: Node, after: int) -> int:
        """States for a node that goes on to ``after``; the one to begin with."""
        match node:
            case One():
                return self._state(State(node, None, (after,)))
            case Anchor():
                return self._state(State(None, node, (after,)))
            case Chain(parts):
                for part in reversed(parts):
                    after = self.build(part, after)
                return after
            case Choice(parts):
                return self._state(State(None, None, tuple(self.build(part, after) for part in parts)))
            case Repeat():
                return self._repeat(node, after)

    def _repeat(self, node: Repeat, after: int) -> int:
        if node.most is None:
            loop = self._state(State(None, None, ()))
            self.states[loop] = State(None, None, (self.build(node.part, loop), after))
            after = loop
        else:
            for _ in range(node.most - node.least):
                after = self._state(State(None, None, (self.build(node.part, after), after)))
        for _ in range(node.least):
            after = self.build(node.part, after)
        return after

    def _state(self, state: State) -> int:
        if len(self.states) >= _MOST_STATES:
            raise NotRegular(f"a smaller expression: this one takes more than {_MOST_STATES} states, repeats in repeats perhaps")
        self.states.append(state)
        return len(self.states) - 1
