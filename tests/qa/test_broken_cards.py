"""Every way in which a card can be wrong is told with its line, what was expected and what was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.qa.card_file import parse_scorecard, problems_in

RIGHT = """\
scorecard: card
languages: [en]
settings:
  bank: [big bank, little bank]
terms:
  named: {say: "{bank}", by: agent}
  opening: first 2 turns
questions:
  - id: names_bank
    section: opening
    weight: 10
    check: {exists: named, within: opening}
  - id: quiet
    check: {count: {silence: 5s}, at_most: 1}
"""

TAIL = "    check: {count: {silence: 5s}, at_most: 1}\n"

# What to put in the place of what, the line that is named, what was expected, what was found.
BROKEN = {
    "not a mapping": (RIGHT, "- a list\n", 1, "a mapping with the keys scorecard, title", "a list of 1"),
    "empty": (RIGHT, "", 1, "a scorecard", "an empty file"),
    "not YAML": ("[en]", "[en", 3, "',' or ']'", ""),
    "no name": ("scorecard: card\n", "", 1, "the key 'scorecard'", "none"),
    "a name with spaces": ("scorecard: card", "scorecard: My Card", 1, "a name of small letters", "'My Card'"),
    "no questions": (RIGHT[RIGHT.index("questions") :], "", 1, "the key 'questions'", "none"),
    "an empty list of questions": (
        RIGHT[RIGHT.index("questions") :],
        "questions: []\n",
        8,
        "a list of questions",
        "an empty one",
    ),
    "no languages": ("languages: [en]\n", "", 1, "the key 'languages'", "none"),
    "a language in words": ("[en]", "[English]", 2, "a language as two or three small letters", "'English'"),
    "a language twice": ("[en]", "[en, en]", 2, "each language once", "'en' again"),
    "a key nobody knows": ("settings:", "setings:", 3, "one of the keys", "'setings'; did you mean 'settings'?"),
    "a key twice": ("    weight: 10\n", "    weight: 10\n    weight: 20\n", 12, "each key once", "'weight' again"),
    "settings as a list": ("  bank: [big bank, little bank]", "  - bank", 3, "a mapping of names", "a list of 1"),
    "an empty setting": ("[big bank, little bank]", "[]", 4, "a list of texts", "an empty one"),
    "a setting nobody knows": ('"{bank}"', '"{bnak}"', 6, "a setting of the card in {}", "'bnak'; did you mean 'bank'?"),
    "a brace alone": ('"{bank}"', '"{bank}} here"', 6, "braces in pairs", "'{bank}} here'"),
    "an unsure_below above one": ("languages:", "unsure_below: 60\nlanguages:", 2, "a number from 0 to 1", "'60'"),
    "a term with capitals": ("  named:", "  Named:", 6, "a name of small letters", "'Named'"),
    "a term without a value": ('{say: "{bank}", by: agent}', "", 6, "a term, a list, or a mapping with one of say", "nothing"),
    "a term that leads to itself": ("first 2 turns", "{of: opening, first: 1}", 7, "does not lead back", "opening → opening"),
    "terms in a circle": (
        "first 2 turns",
        "[named2]\n  named2: {not: opening}",
        8,
        "does not lead back",
        "opening → named2 → opening",
    ),
    "no head": ('say: "{bank}", by: agent', "by: agent", 6, "one of the keys say, silence", "a mapping of by"),
    "a slip in a head": ('say: "{bank}"', 'says: "{bank}"', 6, "one of the keys say, silence", "did you mean 'say'?"),
    "two heads": ("by: agent}", "silence: 5s}", 6, "one of the keys say, silence", "say or silence together"),
    "a key that does not go with a head": ("{silence: 5s}", "{silence: 5s, by: agent}", 14, "one of the keys silence,", "'by'"),
    "a regular expression that looks ahead": ('say: "{bank}"', "matches: 'a(?=b)'", 6, "nothing here looks around", "'a(?=b)'"),
    "a regular expression that is open": ('say: "{bank}"', "matches: ['ok', '(a']", 6, "a closing )", "'(a'"),
    "an entity nobody knows": ('say: "{bank}"', "entity: mony", 6, "one of money, date or number", "did you mean 'money'?"),
    "limits of a date": ('say: "{bank}"', "entity: date, above: 3", 6, "limits of money or a number", "limits of a date"),
    "the same as no entity": ('say: "{bank}"', "entity: date, same_as: opening", 6, "a term that is an entity", "'opening'"),
    "a likeness above one": ('say: "{bank}"', "means: [hello], like: 2", 6, "a number from 0 to 1", "'2'"),
    "perhaps above like": (
        'say: "{bank}"',
        "means: [hello], like: 0.5, perhaps: 0.6",
        6,
        "perhaps no more than like",
        "perhaps 0.6",
    ),
    "an event nobody knows": ('say: "{bank}"', "event: hodl", 6, "one of hold, music, keys", "did you mean 'hold'?"),
    "loudness as an event": ('say: "{bank}"', "event: loudness", 6, "loudness: {above: -10}", "'loudness'"),
    "loudness without limits": ('say: "{bank}"', "loudness: {}", 6, "above, below or both", "neither"),
    "loudness in words": ('say: "{bank}"', "loudness: {above: loud}", 6, "decibels of full scale", "'loud'"),
    "a window of nothing": ('say: "{bank}", by: agent', "window: {}", 6, "one of the keys after, until or for", "none"),
    "a share of more than the call": ("first 2 turns", "first 120%", 7, "a part of the call", "'first 120%'"),
    "so many of none": ("{exists: named, within: opening}", "{of: [named]}", 12, "the key 'at_least'", "none"),
    "more of several than there are": (
        "{exists: named, within: opening}",
        "{at_least: 2, of: [named]}",
        12,
        "no more than the 1",
        "'2'",
    ),
    "no facts": ("{exists: named, within: opening}", "{fact: outbound}", 12, "names of facts and their values", "'outbound'"),
    "a card for nothing": ("terms:", "applies_if: outbound\nterms:", 5, "a mapping with one of exists", "'outbound'"),
    "an ear of more than everything": ("terms:", "heard_at_least: 2\nterms:", 5, "a number from 0 to 1", "'2'"),
    "a test without a call": (
        TAIL,
        TAIL + "tests: [{name: n, expect: {quiet: pass}}]\n",
        15,
        "either a call or a transcript",
        "neither",
    ),
    "a test of no question": (
        TAIL,
        TAIL + "tests: [{name: n, call: [{agent: hi}], expect: {quite: pass}}]\n",
        15,
        "a question of the card",
        "did you mean 'quiet'?",
    ),
    "a test of no verdict": (
        TAIL,
        TAIL + "tests: [{name: n, call: [{agent: hi}], expect: {quiet: yes}}]\n",
        15,
        "one of pass, fail",
        "'yes'",
    ),
    "a line of nobody": (
        TAIL,
        TAIL + "tests: [{name: n, call: [{agnet: hi}], expect: {quiet: pass}}]\n",
        15,
        "a line such as agent",
        "agnet",
    ),
    "a line without an end": (
        TAIL,
        TAIL + "tests: [{name: n, call: [{silence: long}], expect: {quiet: pass}}]\n",
        15,
        "a length of time above 0",
        "'long'",
    ),
    "an event of no value": (
        TAIL,
        TAIL + "tests: [{name: n, call: [{event: loudness, value: loud}], expect: {quiet: pass}}]\n",
        15,
        "a number",
        "'loud'",
    ),
    "nobody's words": ("by: agent}", "by: agents}", 6, "one of anybody, agent or caller", "did you mean 'agent'?"),
    "a tolerance nobody knows": ("by: agent}", "tolerance: clsoe}", 6, "one of close, exact or loose", "did you mean 'close'?"),
    "no phrases": ('"{bank}"', "[]", 6, "a list of phrases", "an empty one"),
    "an empty phrase": ('"{bank}"', '[""]', 6, "a text", "''"),
    "a phrase of no words": ('"{bank}"', '"?!"', 6, "at least one word that must be said", "'?!'"),
    "a phrase of words that may be missing": ('"{bank}"', '"(big) _"', 6, "at least one word that must be said", "'(big) _'"),
    "a phrase that ends in a gap": ('"{bank}"', '"the bank ..."', 6, "words on both sides of ...", "'the bank ...'"),
    "an alternative to nothing": ('"{bank}"', '"bank |"', 6, "words on both sides of |", "'bank |'"),
    "phrases by a language the card has not": ('"{bank}"', "{ru: банк}", 6, "one of the keys en", "'ru'"),
    "phrases without a language of the card": ('"{bank}"', "{}", 6, "the key 'en'", "none"),
    "phrases of no language in a card of two": ("[en]", "[en, ru]", 6, "phrases by language, such as en: [...]", "'{bank}'"),
    "a part of the call nobody knows": (
        "first 2 turns",
        "first 2 words",
        7,
        "a part of the call such as first 30s",
        "'first 2 words'",
    ),
    "a silence without a unit": ("silence: 5s", "silence: 5", 14, "a length of time above 0 such as 10s", "'5'"),
    "a silence of nothing": ("silence: 5s", "silence: 0s", 14, "a length of time above 0 such as 10s", "'0s'"),
    "speed without limits": ("{silence: 5s}", "{speed: {}}", 14, "above, below or both", "neither"),
    "speed above what it is below": (
        "{silence: 5s}",
        "{speed: {above: 9, below: 3}}",
        14,
        "above less than below",
        "above 9 and below 3",
    ),
    "speed in words": ("{silence: 5s}", "{speed: {above: fast}}", 14, "a number of at least 0", "'fast'"),
    "near without a gap": ("within: opening}", "near: opening}", 12, "a gap beside near", "none"),
    "unless without a gap": ("within: opening}", "unless: opening}", 12, "a gap beside unless", "none"),
    "a gap beside nothing": ("within: opening}", "gap: 5s}", 12, "before, after, near or unless beside a gap", "none of them"),
    "a gap of no unit": ("within: opening}", "after: opening, gap: 5}", 12, "a gap such as 10s, 3 turns or 5 words", "'5'"),
    "first and last": ("within: opening}", "first: 1, last: 1}", 12, "first or last", "both"),
    "the first none": ("within: opening}", "first: 0}", 12, "a whole number of at least 1", "'0'"),
    "a term nobody knows": ("exists: named", "exists: namd", 12, "the name of a term", "'namd'; did you mean 'named'?"),
    "an empty any": ("exists: named", "exists: {any: []}", 12, "a list of terms", "an empty one"),
    "an empty both": ("exists: named", "exists: {both: []}", 12, "a list of terms", "an empty one"),
    "no id": ("  - id: quiet\n    check", "  - text: Is it quiet\n    check", 13, "the key 'id'", "none"),
    "an id twice": ("id: quiet", "id: names_bank", 13, "an id of its own", "'names_bank', as in line 9"),
    "no check": ("    check: {count: {silence: 5s}, at_most: 1}\n", "", 13, "the key 'check'", "none"),
    "a check of nothing": ("{count: {silence: 5s}, at_most: 1}", "quiet", 14, "a mapping with one of exists, absent", "'quiet'"),
    "a slip in a check": ("{exists: named", "{exist: named", 12, "a mapping with one of exists", "did you mean 'exists'?"),
    "two checks": ("within: opening}", "absent: opening}", 12, "a mapping with one of exists", "exists or absent together"),
    "a count without limits": (", at_most: 1", "", 14, "at_least or at_most beside count", "neither"),
    "a count that can't be": ("at_most: 1", "at_most: 1, at_least: 3", 14, "at_least no more than at_most", "3 and 1"),
    "a count of half": ("at_most: 1", "at_most: 1.5", 14, "a whole number of at least 0", "'1.5'"),
    "a count of ground": ("{silence: 5s}", "{not: named}", 14, "things that are said or happen", "stretches of the call"),
    "an empty all": ("{count: {silence: 5s}, at_most: 1}", "{all: []}", 14, "a list of checks", "an empty one"),
    "a window beside all": (
        "{count: {silence: 5s}, at_most: 1}",
        "{people: nice, within: opening}",
        14,
        "one of the keys people",
        "'within'",
    ),
    "a weight in words": ("weight: 10", "weight: heavy", 11, "a number from 0 to 1000", "'heavy'"),
    "a weight below nothing": ("weight: 10", "weight: -1", 11, "a number from 0 to 1000", "'-1'"),
    "fatal to what": ("weight: 10", "fatal: crad", 11, "one of no, section or card", "'crad'; did you mean 'card'?"),
    "fatal to no section": (
        "id: quiet\n",
        "id: quiet\n    fatal: section\n",
        14,
        "a section for the question to be fatal to",
        "none",
    ),
    "an empty text": ("weight: 10", 'text: ""', 11, "a text", "''"),
}


def test_the_card_that_is_broken_here_is_right() -> None:
    assert problems_in(RIGHT, "card.yaml") == ()


@pytest.mark.parametrize(("old", "new", "line", "expected", "found"), BROKEN.values(), ids=BROKEN)
def test_a_broken_card_is_told_where_and_why(old: str, new: str, line: int, expected: str, found: str) -> None:
    broken = RIGHT.replace(old, new, 1)
    problems = problems_in(broken, "card.yaml")

    assert broken != RIGHT
    assert problems
    assert [it for it in problems if it.line == line and expected in it.expected and found in f"{it.found}; {it.hint}"], problems


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_one_thing_wrong_is_told_once_and_brings_few_others(broken: tuple[str, str, int, str, str]) -> None:
    problems = problems_in(RIGHT.replace(broken[0], broken[1], 1), "card.yaml")

    assert len({(it.line, it.column, it.expected, it.found) for it in problems}) == len(problems) <= 3


def test_all_problems_are_told_at_once_in_the_files_order() -> None:
    broken = RIGHT.replace("by: agent", "by: nobody").replace("weight: 10", "weight: x").replace("5s", "5")
    problems = problems_in(broken, "card.yaml")

    assert [it.line for it in problems] == [6, 11, 14]
    assert str(problems[1]) == "card.yaml:11:5: questions.0.weight: expected a number from 0 to 1000, found 'x'"


KEYS = st.sampled_from(
    [
        "scorecard",
        "languages",
        "settings",
        "terms",
        "questions",
        "id",
        "check",
        "if",
        "weight",
        "fatal",
        "section",
        "exists",
        "absent",
        "count",
        "all",
        "any",
        "not",
        "people",
        "say",
        "silence",
        "overlap",
        "turns",
        "speed",
        "both",
        "of",
        "within",
        "before",
        "after",
        "near",
        "unless",
        "gap",
        "longer",
        "first",
        "last",
        "by",
        "tolerance",
        "at_least",
        "at_most",
        "above",
        "below",
        "en",
    ]
)
LEAVES = st.sampled_from(
    [
        "",
        "en",
        "[en]",
        "5s",
        "agent",
        "first 30s",
        "last 2 turns",
        "named",
        "1",
        "-3",
        "{bank}",
        "a|b",
        "...",
        "card",
        "~",
        "\x00",
        "😀",
    ]
)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)


def written(tree: object) -> str:
    match tree:
        case dict():
            return "{" + ", ".join(f"{key}: {written(it)}" for key, it in tree.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, tree)) + "]"
    return str(tree)


@given(TREES, TREES)
def test_whatever_is_written_is_a_card_or_a_list_of_problems(terms: object, questions: object) -> None:
    for text in (written(terms), f"scorecard: c\nlanguages: [en]\nterms: {written(terms)}\nquestions: {written(questions)}\n"):
        problems = problems_in(text, "c.yaml")

        assert problems or parse_scorecard(text, "c.yaml").questions
