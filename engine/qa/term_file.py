"""How a card writes terms that are not phrases: ``matches entity means event loudness``, and what belongs to each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.core.call import Speaker
from engine.core.units import Language
from engine.qa.automaton import automaton
from engine.qa.entities import Entity, Kind
from engine.qa.expressions import Expression
from engine.qa.happenings import Happens
from engine.qa.meaning import Means
from engine.qa.reading import Reading, shown
from engine.qa.regex_syntax import NotRegular, parse_regex
from engine.qa.regexes import Matches, Regex
from engine.qa.terms import Term
from engine.qa.timeline import EventKind
from engine.written.yaml_tree import Path, Value

LIKE = 0.75
PERHAPS = 0.6
"""Likeness from which something surely, and may, mean the same, unless the card says otherwise (``bench/meaning.py``)."""

TERM_HEADS: Mapping[str, Sequence[str]] = {
    "matches": ("by",),
    "entity": ("by", "above", "below", "same_as", "as_fact"),
    "means": ("by", "unlike", "like", "perhaps"),
    "event": ("by",),
    "loudness": ("by",),
}
"""What may stand beside each."""

_DECIBELS = re.compile(r"-?\d+(?:\.\d+)?")
_TOLD = [it for it in EventKind if it is not EventKind.LOUDNESS]


@dataclass(frozen=True)
class TermReader:
    """Reads them."""

    reading: Reading

    languages: Sequence[Language]

    expression: Callable[[Value, Path], Expression]
    """Reads any expression."""

    def read(self, head: str, value: Mapping[str, Value], path: Path, by: Speaker | None) -> Term:
        """The term that a mapping with this head writes."""
        match head:
            case "matches":
                return self._matches(value[head], (*path, head), by)
            case "entity":
                return self._entity(value, path, by)
            case "means":
                return self._means(value, path, by)
            case "event":
                return self._event(value[head], (*path, head), by)
        above, below = self._limits(value[head], (*path, head))
        return Happens(by, EventKind.LOUDNESS, above, below)

    def _matches(self, value: Value, path: Path, by: Speaker | None) -> Matches:
        if not isinstance(value, dict):
            everywhere = self._regexes(value, path)
            return Matches(by, dict.fromkeys(self.languages, everywhere))
        known = self.reading.mapping(value, path, self.languages)
        return Matches(by, {it: self._regexes(known[it], (*path, it)) for it in self.languages if it in known})

    def _regexes(self, value: Value, path: Path) -> Sequence[Regex]:
        return [it for text, at in self._texts(value, path, "regular expressions") for it in self._regex(text, at)]

    def _regex(self, text: str, path: Path) -> Sequence[Regex]:
        try:
            return [Regex(text, automaton(parse_regex(text)))]
        except NotRegular as error:
            self.reading.wrong(path, str(error), shown(text))
            return []

    def _texts(self, value: Value, path: Path, of_what: str) -> Sequence[tuple[str, Path]]:
        if isinstance(value, str):
            return [(self.reading.text(value, path), path)]
        items = self.reading.items(value, path, of_what)
        return [(self.reading.text(it, (*path, n)), (*path, n)) for n, it in enumerate(items)]

    def _entity(self, value: Mapping[str, Value], path: Path, by: Speaker | None) -> Entity:
        kind = self.reading.choice(value["entity"], (*path, "entity"), Kind)
        limits = {it: self.reading.number(value[it], (*path, it)) for it in ("above", "below") if it in value}
        if limits and kind is Kind.DATE:
            self.reading.wrong((*path, next(iter(limits))), "limits of money or a number", "limits of a date")
        same_as = self._other(value["same_as"], (*path, "same_as")) if "same_as" in value else None
        fact = self.reading.name(value["as_fact"], (*path, "as_fact")) if "as_fact" in value else None
        return Entity(by, kind, limits.get("above", float("-inf")), limits.get("below", float("inf")), same_as, fact)

    def _other(self, value: Value, path: Path) -> Entity | None:
        other = self.expression(value, path)
        if not isinstance(other, Entity):
            self.reading.wrong(path, "a term that is an entity and nothing more", shown(value))
            return None
        return other

    def _means(self, value: Mapping[str, Value], path: Path, by: Speaker | None) -> Means:
        like, perhaps = (
            self.reading.number(value[it], (*path, it), 1.0) if it in value else usual
            for it, usual in (("like", LIKE), ("perhaps", min(PERHAPS, LIKE)))
        )
        if perhaps > like:
            self.reading.wrong(path, "perhaps no more than like", f"perhaps {perhaps:g} and like {like:g}")
        unlike = self._examples(value["unlike"], (*path, "unlike")) if "unlike" in value else ()
        return Means(by, self._examples(value["means"], (*path, "means")), unlike, like, perhaps)

    def _examples(self, value: Value, path: Path) -> Sequence[str]:
        """Of all languages together: what means the same lies together in any."""
        if not isinstance(value, dict):
            return [text for text, _ in self._texts(value, path, "examples")]
        known = self.reading.mapping(value, path, self.languages)
        return [text for it in self.languages if it in known for text, _ in self._texts(known[it], (*path, it), "examples")]

    def _event(self, value: Value, path: Path, by: Speaker | None) -> Happens:
        kind = self.reading.choice(value, path, EventKind)
        if kind not in _TOLD:
            self.reading.wrong(path, "loudness: {above: -10} or the like, for it has a value", shown(value))
        return Happens(by, kind)

    def _limits(self, value: Value, path: Path) -> tuple[float, float]:
        """Decibels of full scale, which are below zero."""
        limits = self.reading.mapping(value, path, ("above", "below"))
        found = {it: self._decibels(limits[it], (*path, it)) for it in ("above", "below") if it in limits}
        if isinstance(value, dict) and not found:
            self.reading.wrong(path, "above, below or both, in dB of full scale", "neither")
        return found.get("above", float("-inf")), found.get("below", float("inf"))

    def _decibels(self, value: Value, path: Path) -> float:
        if not isinstance(value, str) or not _DECIBELS.fullmatch(value):
            self.reading.wrong(path, "decibels of full scale such as -20", shown(value))
            return 0.0
        return float(value)
