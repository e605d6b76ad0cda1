"""How a card writes what it asks for.

* a word: the name of a term, or ``first 30s``, ``last 2 turns``, ``first 1 agent turn``, ``last 10%`` of the conversation;
* a list: any of its entries;
* a mapping with one head, of ``HEADS``, and what narrows it, in this order whatever the order it is written in: ``within``;
  ``before after near unless not_before not_after`` with ``gap``; ``longer``; ``first`` or ``last``.

Terms are read when they are first named, each once; one that leads back to itself is a problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from engine.core.call import Speaker
from engine.core.units import Language
from engine.qa.expressions import (
    ANYWHERE,
    Amount,
    Any,
    Both,
    Edge,
    Expression,
    Longer,
    Not,
    Overlap,
    Pick,
    Related,
    Relation,
    Say,
    Side,
    Silence,
    Speed,
    Turns,
    Unit,
    Window,
    Within,
)
from engine.qa.lexicon import Lexicon
from engine.qa.phrases import Kind, Phrase, Tolerance, phrase
from engine.qa.reading import Reading, shown
from engine.qa.term_file import TERM_HEADS, TermReader
from engine.written.problems import did_you_mean, listed
from engine.written.yaml_tree import Path, Value

HEADS = ("say", "silence", "overlap", "turns", "speed", *TERM_HEADS, "window", "any", "both", "not", "of")
NARROWING = ("within", *Relation, "gap", "longer", *Side)
OF_ITS_OWN: Mapping[str, Sequence[str]] = {"say": ("by", "tolerance"), "overlap": ("by",), "speed": ("by",), **TERM_HEADS}
"""What may stand beside a head."""

WINDOW_KEYS = ("after", "until", "for")
_EDGE = re.compile(
    r"(first|last)\s+(?:([1-9]\d{0,3})\s+(?:(agent|caller)\s+)?turns?|(\d+(?:\.\d+)?\s*(?:ms|s|min))|([1-9]\d?)\s*%)"
)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NOTHING = Any(())


class Who(StrEnum):
    """Whose words or turns."""

    ANYBODY = "anybody"
    AGENT = "agent"
    CALLER = "caller"

    @property
    def speaker(self) -> Speaker | None:
        return None if self is Who.ANYBODY else Speaker(self.value)


class HowClose(StrEnum):
    """:class:`Tolerance` in the card's words."""

    CLOSE = "close"
    EXACT = "exact"
    LOOSE = "loose"


@dataclass(frozen=True)
class ExpressionReader:
    """Reads expressions, and the terms they name."""

    reading: Reading

    languages: Sequence[Language]

    settings: Mapping[str, Sequence[str]]

    terms: Mapping[str, Value]

    _known: dict[str, Expression] = field(default_factory=dict)

    _lexicon: Lexicon = field(default_factory=Lexicon)

    _open: list[str] = field(default_factory=list)
    """Terms being read now, the outermost first."""

    def read(self, value: Value, path: Path) -> Expression:
        """An expression, or one that finds nothing where it is wrong."""
        match value:
            case str():
                return self._word(value, path)
            case list():
                return self._any(value, path)
            case dict():
                return self._mapping(value, path)
        self.reading.wrong(path, f"a term, a list, or a mapping with one of {listed(HEADS)}", shown(value))
        return _NOTHING

    def term(self, name: str) -> Expression:
        """A term of the card's."""
        if name not in self._known:
            self._open.append(name)
            self._known[name] = self.read(self.terms[name], ("terms", name))
            self._open.pop()
        return self._known[name]

    def _word(self, word: str, path: Path) -> Expression:
        if word.startswith(("first ", "last ")):
            return self._edge(word, path)
        if word in self._open:
            way = " → ".join((*self._open[self._open.index(word) :], word))
            self.reading.wrong(path, "a term that does not lead back to itself", way)
            return _NOTHING
        if word not in self.terms:
            expected = "the name of a term, or a part of the call such as first 30s or last 2 turns"
            self.reading.wrong(path, expected, shown(word), did_you_mean(word, self.terms))
            return _NOTHING
        return self.term(word)

    def _edge(self, word: str, path: Path) -> Expression:
        found = _EDGE.fullmatch(word)
        if found is None:
            self.reading.wrong(path, "a part of the call such as first 30s, last 2 turns or first 1 agent turn", shown(word))
            return _NOTHING
        side, turns, who, time, share = found.groups()
        counted, unit = (turns, Unit.TURNS) if turns else (share, Unit.PERCENT)
        length = Amount(self.reading.duration(time, path)) if time else Amount(int(counted), unit)
        return Edge(Side(side), length, Speaker(who) if who else None)

    def _any(self, value: Value, path: Path) -> Expression:
        items = self.reading.items(value, path, "terms")
        return Any([self.read(it, (*path, n)) for n, it in enumerate(items)])

    def _mapping(self, value: dict[str, Value], path: Path) -> Expression:
        heads = [key for key in value if key in HEADS]
        if len(heads) != 1:
            found = f"{listed(heads)} together" if heads else shown(value)
            hint = "" if heads else next(filter(None, (did_you_mean(key, HEADS) for key in value)), "")
            self.reading.wrong(path, f"one of the keys {listed(HEADS)}", found, hint)
            return _NOTHING
        (head,) = heads
        self.reading.mapping(value, path, (head, *OF_ITS_OWN.get(head, ()), *NARROWING))
        return self.narrowed(self._head(head, value, path), value, path)

    def _head(self, head: str, value: Mapping[str, Value], path: Path) -> Expression:  # noqa: C901, PLR0911 one for each head
        here, at = value[head], (*path, head)
        match head:
            case "say":
                return Say(self._phrases(here, at, self._tolerance(value, path)), self._by(value, path))
            case "silence":
                return Silence(self.reading.duration(here, at))
            case "overlap":
                return Overlap(self.reading.duration(here, at), self._by(value, path))
            case "turns":
                return Turns(self.reading.choice(here, at, Who).speaker)
            case "speed":
                return self._speed(here, at, self._by(value, path))
            case "window":
                return self._window(here, at)
            case "any":
                return self._any(here, at)
            case "both":
                return Both([self.read(it, (*at, n)) for n, it in enumerate(self.reading.items(here, at, "terms"))] or [_NOTHING])
            case "not":
                return Not(self.read(here, at))
            case "of":
                return self.read(here, at)
        return TermReader(self.reading, self.languages, self.read).read(head, value, path, self._by(value, path))

    def _window(self, value: Value, path: Path) -> Expression:
        keys = self.reading.mapping(value, path, WINDOW_KEYS)
        if isinstance(value, dict) and not keys:
            self.reading.wrong(path, f"one of the keys {listed(WINDOW_KEYS)}", "none")
        after, until = (self.read(keys[it], (*path, it)) if it in keys else None for it in ("after", "until"))
        return Window(after, until, self.reading.gap(keys["for"], (*path, "for")) if "for" in keys else ANYWHERE)

    def _by(self, value: Mapping[str, Value], path: Path) -> Speaker | None:
        return self.reading.choice(value["by"], (*path, "by"), Who).speaker if "by" in value else None

    def _tolerance(self, value: Mapping[str, Value], path: Path) -> Tolerance:
        close = (
            self.reading.choice(value["tolerance"], (*path, "tolerance"), HowClose) if "tolerance" in value else HowClose.CLOSE
        )
        return Tolerance[close.name]

    def _speed(self, value: Value, path: Path, by: Speaker | None) -> Expression:
        limits = self.reading.mapping(value, path, ("above", "below"))
        if isinstance(value, dict) and not limits:
            self.reading.wrong(path, "above, below or both, in words a minute", "neither")
        numbers = {key: self.reading.number(limits[key], (*path, key)) for key in ("above", "below") if key in limits}
        if numbers.get("above", 0.0) >= numbers.get("below", float("inf")):
            self.reading.wrong(path, "above less than below", f"above {numbers['above']:g} and below {numbers['below']:g}")
        return Speed(numbers.get("above", 0.0), numbers.get("below", float("inf")), by)

    def narrowed(self, part: Expression, value: Mapping[str, Value], path: Path) -> Expression:
        """What is left of an expression after all that stands beside it."""
        if "within" in value:
            part = Within(part, self.read(value["within"], (*path, "within")))
        part = self._related(part, value, path)
        if "longer" in value:
            part = Longer(part, self.reading.duration(value["longer"], (*path, "longer")))
        sides = [side for side in Side if side in value]
        if len(sides) > 1:
            self.reading.wrong(path, "first or last", "both", "narrow once in a term, and again where it is used")
        for side in sides[:1]:
            part = Pick(part, side, self.reading.count(value[side], (*path, side)))
        return part

    def _related(self, part: Expression, value: Mapping[str, Value], path: Path) -> Expression:
        relations = [it for it in Relation if it in value]
        gap = self.reading.gap(value["gap"], (*path, "gap")) if "gap" in value else None
        if gap and not relations:
            self.reading.wrong((*path, "gap"), "before, after, near or unless beside a gap", "none of them")
        for relation in relations:
            if gap is None and relation in {Relation.NEAR, Relation.UNLESS}:
                self.reading.wrong((*path, relation), f"a gap beside {relation}, such as gap: 5s", "none")
            other = self.read(value[relation], (*path, relation))
            part = Related(part, relation, other, gap or ANYWHERE)
        return part

    def _phrases(self, value: Value, path: Path, tolerance: Tolerance) -> Mapping[Language, Sequence[Phrase]]:
        if not isinstance(value, dict):
            if len(self.languages) > 1:
                expected = f"phrases by language, such as {self.languages[0]}: [...]"
                self.reading.wrong(path, expected, shown(value))
            return {it: tuple(self._listed(value, path, tolerance)) for it in self.languages}
        by_language = self.reading.mapping(value, path, self.languages, self.languages)
        known = [it for it in self.languages if it in by_language]
        return {it: tuple(self._listed(by_language[it], (*path, it), tolerance)) for it in known}

    def _listed(self, value: Value, path: Path, tolerance: Tolerance) -> Iterator[Phrase]:
        if isinstance(value, str):
            yield from self._phrase(value, path, tolerance)
            return
        for n, it in enumerate(self.reading.items(value, path, "phrases")):
            yield from self._phrase(self.reading.text(it, (*path, n)), (*path, n), tolerance)

    def _phrase(self, text: str, path: Path, tolerance: Tolerance) -> Iterator[Phrase]:
        for filled in self._filled(text, path):
            made = phrase(filled, tolerance, self._lexicon)
            if made.parts and {made.parts[0].kind, made.parts[-1].kind} & {Kind.GAP}:
                self.reading.wrong(path, "words on both sides of ...", shown(filled))
            elif text and not any(it.kind is Kind.WORD for it in made.parts):
                self.reading.wrong(path, "a phrase with at least one word that must be said", shown(filled))
            elif any(it.kind is Kind.WORD and not it.options for it in made.parts):
                self.reading.wrong(path, "words on both sides of |", shown(filled))
            else:
                yield made

    def _filled(self, text: str, path: Path) -> Iterator[str]:
        """The phrase with its settings put in; one for each of their values."""
        names = _PLACEHOLDER.findall(text)
        unknown = [name for name in names if name not in self.settings]
        for name in unknown:
            self.reading.wrong(path, "a setting of the card in {}", shown(name), did_you_mean(name, self.settings))
        if not unknown and _PLACEHOLDER.sub("", text).count("{") + _PLACEHOLDER.sub("", text).count("}"):
            self.reading.wrong(path, "braces in pairs, around a setting's name", shown(text))
        for values in product(*(self.settings[name] for name in names)) if not unknown else ():
            filling = iter(values)
            yield _PLACEHOLDER.sub(lambda _: next(filling), text)  # noqa: B023 used up before the next turn
