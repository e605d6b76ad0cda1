"""From the text of a scorecard to the card, or to everything that is wrong with it. Reads nothing but what it is handed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.core.units import Confidence, Language
from engine.nlu.encoder import Encoder
from engine.qa.card import HEARD_AT_LEAST, UNSURE_BELOW, Fatal, Question, Scorecard, ScorecardErrors
from engine.qa.card_test_file import CardTestReader
from engine.qa.check_file import NOTHING_ASKED, CheckReader
from engine.qa.expression_file import ExpressionReader
from engine.qa.reading import Reading, shown
from engine.qa.revision import revision
from engine.qa.walking import asked
from engine.written.problems import Problem
from engine.written.yaml_tree import Path, Value, read_tree

CARD_KEYS = (
    *("scorecard", "title", "languages", "applies_if", "unsure_below", "heard_at_least", "settings", "terms", "questions"),
    "tests",
)
QUESTION_KEYS = ("id", "text", "section", "weight", "fatal", "if", "check")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


def parse_scorecard(text: str, name: str, encoder: Encoder | None = None) -> Scorecard:
    """Read a card. ``name`` is what to call the file in messages; ``encoder`` is for cards that ask for meaning.

    Raises:
        ScorecardErrors: it can't be used; all problems at once.
    """
    tree = read_tree(text, name, ScorecardErrors)
    reading = Reading(tree, name)
    card = _card(tree.value, reading)
    if reading.problems:
        raise ScorecardErrors(dict.fromkeys(reading.problems))
    return replace(card, encoder=encoder)


def _card(value: Value, reading: Reading) -> Scorecard:
    keys = reading.mapping(value, (), CARD_KEYS, ("scorecard", "languages", "questions"))
    languages = _languages(keys["languages"], reading) if "languages" in keys else (Language("en"),)
    terms = _named(keys.get("terms", {}), ("terms",), reading)
    expressions = ExpressionReader(reading, languages, _settings(keys.get("settings", {}), reading), terms)
    checks = CheckReader(expressions)
    applies = checks.read(keys["applies_if"], ("applies_if",)) if "applies_if" in keys else None
    questions = _questions(keys["questions"], checks) if "questions" in keys else ()
    known = {term: expressions.term(term) for term in terms}
    card = Scorecard(
        name=reading.name(keys["scorecard"], ("scorecard",)) if "scorecard" in keys else "",
        revision="",
        languages=languages,
        questions=questions,
        title=reading.text(keys["title"], ("title",)) if "title" in keys else "",
        unsure_below=_share(keys, "unsure_below", UNSURE_BELOW, reading),
        heard_at_least=_share(keys, "heard_at_least", HEARD_AT_LEAST, reading),
        applies=applies,
        terms=known,
        tests=tuple(CardTestReader(reading, languages, questions).read(keys["tests"])) if "tests" in keys else (),
    )
    return replace(card, revision=revision(value, asked(card)))


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


def _share(keys: Mapping[str, Value], key: str, usual: float, reading: Reading) -> Confidence:
    return Confidence(reading.number(keys[key], (key,), 1.0) if key in keys else usual)


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


def _questions(value: Value, checks: CheckReader) -> Sequence[Question]:
    reading = checks.expressions.reading
    found = []
    seen: dict[str, int] = {}
    for n, it in enumerate(reading.items(value, ("questions",), "questions")):
        path: Path = ("questions", n)
        question = _question(it, path, checks)
        line = reading.tree.place(path)[0]
        if question.id and question.id in seen:
            reading.wrong((*path, "id"), "an id of its own", f"{question.id!r}, as in line {seen[question.id]}")
        seen.setdefault(question.id, line)
        found.append(question)
    return found


def _question(value: Value, path: Path, checks: CheckReader) -> Question:
    reading = checks.expressions.reading
    keys = reading.mapping(value, path, QUESTION_KEYS, ("id", "check"))
    fatal = reading.choice(keys["fatal"], (*path, "fatal"), Fatal) if "fatal" in keys else Fatal.NO
    if fatal is Fatal.SECTION and "section" not in keys:
        reading.wrong((*path, "fatal"), "a section for the question to be fatal to", "none")
    return Question(
        id=reading.name(keys["id"], (*path, "id")) if "id" in keys else "",
        check=checks.read(keys["check"], (*path, "check")) if "check" in keys else NOTHING_ASKED,
        text=reading.text(keys["text"], (*path, "text")) if "text" in keys else "",
        section=reading.text(keys["section"], (*path, "section")) if "section" in keys else "",
        weight=reading.number(keys["weight"], (*path, "weight"), 1000.0) if "weight" in keys else 1.0,
        fatal=fatal,
        applies=checks.read(keys["if"], (*path, "if")) if "if" in keys else None,
    )


def problems_in(text: str, name: str) -> Sequence[Problem]:
    """Everything that is wrong with a card; empty when it can be used."""
    try:
        parse_scorecard(text, name)
    except ScorecardErrors as error:
        return error.problems
    return ()
