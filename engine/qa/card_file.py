"""From the text of a scorecard to the card, or to everything that is wrong with it. Reads nothing but what it is handed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.core.units import Confidence, Language
from engine.qa.card import UNSURE_BELOW, Fatal, Question, Scorecard, ScorecardErrors
from engine.qa.checks import Absent, All, Check, Count, Either, Exists, Negated, People
from engine.qa.expression_file import NARROWING, ExpressionReader
from engine.qa.expressions import Expression, is_ground
from engine.qa.reading import Reading, shown
from engine.written.problems import Problem, did_you_mean, listed
from engine.written.yaml_tree import Path, Value, read_tree

_CARD_KEYS = ("scorecard", "title", "languages", "unsure_below", "settings", "terms", "questions")
_QUESTION_KEYS = ("id", "text", "section", "weight", "fatal", "if", "check")
_CHECKS = ("exists", "absent", "count", "all", "any", "not", "people")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_NOTHING_ASKED = People("")


def parse_scorecard(text: str, name: str) -> Scorecard:
    """Read a card. ``name`` is what to call the file in messages.

    Raises:
        ScorecardErrors: it can't be used; all problems at once.
    """
    tree = read_tree(text, name, ScorecardErrors)
    reading = Reading(tree, name)
    card = _card(tree.value, reading)
    if reading.problems:
        raise ScorecardErrors(dict.fromkeys(reading.problems))
    return card


def _card(value: Value, reading: Reading) -> Scorecard:
    keys = reading.mapping(value, (), _CARD_KEYS, ("scorecard", "languages", "questions"))
    languages = _languages(keys["languages"], reading) if "languages" in keys else (Language("en"),)
    terms = _named(keys.get("terms", {}), ("terms",), reading)
    expressions = ExpressionReader(reading, languages, _settings(keys.get("settings", {}), reading), terms)
    for term in terms:
        expressions.term(term)
    return Scorecard(
        name=reading.name(keys["scorecard"], ("scorecard",)) if "scorecard" in keys else "",
        revision=_revision(value),
        languages=languages,
        questions=_questions(keys["questions"], expressions) if "questions" in keys else (),
        title=reading.text(keys["title"], ("title",)) if "title" in keys else "",
        unsure_below=_unsure_below(keys, reading),
    )


def _revision(value: Value) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _languages(value: Value, reading: Reading) -> Sequence[Language]:
    found: list[Language] = []
    for n, it in enumerate(reading.items(value, ("languages",), "languages")):
        if not isinstance(it, str) or not _LANGUAGE.fullmatch(it):
            reading.wrong(("languages", n), "a language as two or three small letters, such as en", shown(it))
        elif it in found:
            reading.wrong(("languages", n), "each language once", f"{it!r} again")
        else:
            found.append(Language(it))
    return found or [Language("en")]


def _unsure_below(keys: Mapping[str, Value], reading: Reading) -> Confidence:
    if "unsure_below" not in keys:
        return UNSURE_BELOW
    return Confidence(reading.number(keys["unsure_below"], ("unsure_below",), 1.0))


def _named(value: Value, path: Path, reading: Reading) -> Mapping[str, Value]:
    """A mapping of names that the card's author made up."""
    if not isinstance(value, dict):
        reading.wrong(path, "a mapping of names", shown(value))
        return {}
    return {name: it for name, it in value.items() if reading.name(name, (*path, name))}


def _settings(value: Value, reading: Reading) -> Mapping[str, Sequence[str]]:
    """Each setting's values; one alone is a list of one."""
    found = {}
    for name, it in _named(value, ("settings",), reading).items():
        path: Path = ("settings", name)
        values = [it] if isinstance(it, str) else reading.items(it, path, "texts")
        found[name] = tuple(reading.text(one, (*path, n) if isinstance(it, list) else path) for n, one in enumerate(values))
    return found


def _questions(value: Value, expressions: ExpressionReader) -> Sequence[Question]:
    reading = expressions.reading
    found = []
    seen: dict[str, int] = {}
    for n, it in enumerate(reading.items(value, ("questions",), "questions")):
        path: Path = ("questions", n)
        question = _Questions(expressions, path).read(it)
        line = reading.tree.place(path)[0]
        if question.id and question.id in seen:
            reading.wrong((*path, "id"), "an id of its own", f"{question.id!r}, as in line {seen[question.id]}")
        seen.setdefault(question.id, line)
        found.append(question)
    return found


@dataclass(frozen=True)
class _Questions:
    """Reads one question."""

    expressions: ExpressionReader

    path: Path

    def read(self, value: Value) -> Question:
        reading, path = self.expressions.reading, self.path
        keys = reading.mapping(value, path, _QUESTION_KEYS, ("id", "check"))
        fatal = reading.choice(keys["fatal"], (*path, "fatal"), Fatal) if "fatal" in keys else Fatal.NO
        if fatal is Fatal.SECTION and "section" not in keys:
            reading.wrong((*path, "fatal"), "a section for the question to be fatal to", "none")
        return Question(
            id=reading.name(keys["id"], (*path, "id")) if "id" in keys else "",
            check=self._check(keys["check"], (*path, "check")) if "check" in keys else _NOTHING_ASKED,
            text=reading.text(keys["text"], (*path, "text")) if "text" in keys else "",
            section=reading.text(keys["section"], (*path, "section")) if "section" in keys else "",
            weight=reading.number(keys["weight"], (*path, "weight"), 1000.0) if "weight" in keys else 1.0,
            fatal=fatal,
            applies=self._check(keys["if"], (*path, "if")) if "if" in keys else None,
        )

    def _check(self, value: Value, path: Path) -> Check:
        reading = self.expressions.reading
        heads = [key for key in value if key in _CHECKS] if isinstance(value, dict) else []
        if len(heads) != 1 or not isinstance(value, dict):
            found = f"{listed(heads)} together" if heads else shown(value)
            slips = value if isinstance(value, dict) else ()
            hint = next(filter(None, (did_you_mean(key, _CHECKS) for key in slips)), "") if not heads else ""
            reading.wrong(path, f"a mapping with one of {listed(_CHECKS)}", found, hint)
            return _NOTHING_ASKED
        (head,) = heads
        here: Path = (*path, head)
        match head:
            case "all" | "any":
                reading.mapping(value, path, (head,))
                parts = [self._check(it, (*here, n)) for n, it in enumerate(reading.items(value[head], here, "checks"))]
                return All(parts) if head == "all" else Either(parts)
            case "not":
                reading.mapping(value, path, (head,))
                return Negated(self._check(value[head], here))
            case "people":
                reading.mapping(value, path, (head,))
                return People(reading.text(value[head], here))
        return self._spans(head, value, path)

    def _spans(self, head: str, value: Mapping[str, Value], path: Path) -> Check:
        """A check of what there is; what narrows an expression may stand beside it."""
        reading = self.expressions.reading
        limits = ("at_least", "at_most") if head == "count" else ()
        reading.mapping(dict(value), path, (head, *limits, *NARROWING))
        part = self.expressions.read(value[head], (*path, head))
        wanted = self.expressions.narrowed(part, value, path)
        match head:
            case "exists":
                return Exists(wanted)
            case "absent":
                return Absent(wanted)
        if is_ground(wanted):
            reading.wrong((*path, head), "things that are said or happen, to be counted", "stretches of the call (both, not)")
        return self._count(wanted, value, path)

    def _count(self, wanted: Expression, value: Mapping[str, Value], path: Path) -> Count:
        reading = self.expressions.reading
        given = {it: reading.count(value[it], (*path, it), 0) for it in ("at_least", "at_most") if it in value}
        if not given:
            reading.wrong(path, "at_least or at_most beside count", "neither")
        if given.get("at_least", 0) > given.get("at_most", float("inf")):
            reading.wrong(path, "at_least no more than at_most", f"{given['at_least']} and {given['at_most']}")
        return Count(wanted, given.get("at_least", 0), given.get("at_most", float("inf")))


def problems_in(text: str, name: str) -> Sequence[Problem]:
    """Everything that is wrong with a card; empty when it can be used."""
    try:
        parse_scorecard(text, name)
    except ScorecardErrors as error:
        return error.problems
    return ()
