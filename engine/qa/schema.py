"""The JSON Schema of a scorecard, so that editors complete and check what people write.

It knows the keys, what goes with what and how values are written; names of terms, questions and settings, and what phrases
and regular expressions mean, only the engine knows (``callwright qa check``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from engine.qa.card import Fatal
from engine.qa.card_file import CARD_KEYS, QUESTION_KEYS
from engine.qa.card_test_file import TEST_KEYS, Source
from engine.qa.check_file import CHECKS, LIMITS
from engine.qa.checks import Verdict
from engine.qa.dialogues import BESIDE
from engine.qa.entities import Kind
from engine.qa.expression_file import HEADS, NARROWING, OF_ITS_OWN, WINDOW_KEYS, HowClose, Who
from engine.qa.expressions import Relation
from engine.qa.timeline import EventKind

Schema: TypeAlias = dict[str, Any]

ADDRESS = "https://json-schema.org/draft/2020-12/schema"
_LANGUAGE = "^[a-z]{2,3}$"
_NAME: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
_TEXT: Schema = {"type": ["string", "number"], "pattern": r"\S"}
_NUMBER: Schema = {"type": "number", "minimum": 0}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT: Schema = {"type": "integer", "minimum": 1}
_LENGTH = r"(?![0.]+\s*[ms])\d+(\.\d+)?\s*(ms|s|min)"  # above zero
_DURATION: Schema = {"type": "string", "pattern": f"^{_LENGTH}$", "examples": ["10s", "500ms", "2min"]}
_WORD = rf"^([a-z][a-z0-9_]*|(first|last)\s+([1-9]\d{{0,3}}\s+((agent|caller)\s+)?turns?|{_LENGTH}|[1-9]\d?\s*%))$"
_GAP: Schema = {
    "type": "string",
    "pattern": rf"^({_LENGTH}|[1-9]\d{{0,3}} (turn|word)s?)$",
    "examples": ["10s", "3 turns", "5 words"],
}


def card_schema() -> Schema:
    """Make the schema of a whole card."""
    return {
        "$schema": ADDRESS,
        "title": "A scorecard of Callwright",
        **_object(_CARD, ("scorecard", "languages", "questions"), CARD_KEYS),
        "$defs": {
            "check": {"anyOf": [_check(it) for it in CHECKS]},
            "expression": {
                "description": "A term's name, a part of the call such as first 30s, a list of them, or a mapping with one head.",
                "anyOf": [{"type": "string", "pattern": _WORD}, _list_of(_EXPRESSION), *(_headed(it) for it in HEADS)],
            },
            "question": _object(_QUESTION, ("id", "check"), QUESTION_KEYS) | _FATAL_TO_A_SECTION,
            "test": _object(_TEST, ("name", "expect"), TEST_KEYS)
            | {"oneOf": [{"required": ["call"]}, {"required": ["transcript"]}]},
            "line": {"anyOf": [_line(it) for it in BESIDE]},
        },
    }


def _object(properties: Mapping[str, Schema], required: Iterable[str], keys: Iterable[str]) -> Schema:
    """A mapping of just these keys."""
    return {
        "type": "object",
        "properties": {it: properties[it] for it in keys},
        "required": list(required),
        "additionalProperties": False,
    }


def _list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def _one_or_more(item: Schema) -> Schema:
    return {"anyOf": [item, _list_of(item)]}


def _by_language(item: Schema) -> Schema:
    """For all languages, or for each."""
    each = {
        "type": "object",
        "patternProperties": {_LANGUAGE: _one_or_more(item)},
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"anyOf": [item, _list_of(item), each]}


def _named(item: Schema) -> Schema:
    return {"type": "object", "patternProperties": {_NAME["pattern"]: item}, "additionalProperties": False}


def _enum(values: Iterable[str]) -> Schema:
    return {"enum": [str(it) for it in values]}


def _limits(number: Schema) -> Schema:
    return _object({"above": number, "below": number}, (), ("above", "below")) | {"minProperties": 1}


_EXPRESSION: Schema = {"$ref": "#/$defs/expression"}
_CHECK: Schema = {"$ref": "#/$defs/check"}
_FACTS: Schema = _named(_one_or_more(_TEXT)) | {"minProperties": 1}

_NARROWING: Mapping[str, Schema] = {
    **dict.fromkeys(NARROWING, _EXPRESSION),
    "gap": _GAP,
    "longer": _DURATION,
    "first": _COUNT,
    "last": _COUNT,
}
_NARROWED: Schema = {
    "dependentRequired": {Relation.NEAR.value: ["gap"], Relation.UNLESS.value: ["gap"]},
    "dependentSchemas": {
        "gap": {"anyOf": [{"required": [it.value]} for it in Relation]},
        "first": {"not": {"required": ["last"]}},
    },
}
"""What of it goes with what."""

_FATAL_TO_A_SECTION: Schema = {
    "if": {"properties": {"fatal": {"const": Fatal.SECTION.value}}, "required": ["fatal"]},
    "then": {"required": ["section"]},
}
_BESIDE_A_HEAD: Mapping[str, Schema] = {
    "by": _enum(Who),
    "tolerance": _enum(HowClose),
    "above": _NUMBER,
    "below": _NUMBER,
    "same_as": _EXPRESSION,
    "as_fact": _NAME,
    "unlike": _by_language(_TEXT),
    "like": _SHARE,
    "perhaps": _SHARE,
}
_HEADS: Mapping[str, Schema] = {
    "say": _by_language(_TEXT),
    "silence": _DURATION,
    "overlap": _DURATION,
    "turns": _enum(Who),
    "speed": _limits(_NUMBER),
    "matches": _by_language(_TEXT),
    "entity": _enum(Kind),
    "means": _by_language(_TEXT),
    "event": _enum(it for it in EventKind if it is not EventKind.LOUDNESS),
    "loudness": _limits({"type": "number"}),
    "window": _object({"after": _EXPRESSION, "until": _EXPRESSION, "for": _GAP}, (), WINDOW_KEYS) | {"minProperties": 1},
    "any": _list_of(_EXPRESSION),
    "both": _list_of(_EXPRESSION),
    "not": _EXPRESSION,
    "of": _EXPRESSION,
}
_CHECKS: Mapping[str, Schema] = {
    "exists": _EXPRESSION,
    "absent": _EXPRESSION,
    "count": _EXPRESSION,
    "of": _list_of(_EXPRESSION),
    "all": _list_of(_CHECK),
    "any": _list_of(_CHECK),
    "not": _CHECK,
    "fact": _FACTS,
    "people": {"type": "string", "minLength": 1},
}
_CARD: Mapping[str, Schema] = {
    "scorecard": _NAME | {"description": "The card's name."},
    "title": _TEXT,
    "languages": _list_of({"type": "string", "pattern": _LANGUAGE}) | {"uniqueItems": True},
    "applies_if": _CHECK | {"description": "Where this fails, the card is not for the call."},
    "unsure_below": _SHARE | {"description": "A word heard with less confidence may have been any other."},
    "heard_at_least": _SHARE | {"description": "Of a window's speech, before what was not found there counts as absent."},
    "settings": _named(_one_or_more(_TEXT)),
    "terms": _named(_EXPRESSION),
    "questions": _list_of({"$ref": "#/$defs/question"}),
    "tests": _list_of({"$ref": "#/$defs/test"}),
}
_QUESTION: Mapping[str, Schema] = {
    "id": _NAME,
    "text": _TEXT | {"description": "What people read."},
    "section": _TEXT,
    "weight": {"type": "number", "minimum": 0, "maximum": 1000},
    "fatal": _enum(Fatal) | {"description": "What a failing answer spoils."},
    "if": _CHECK | {"description": "Where this fails, the question is not asked."},
    "check": _CHECK,
}
_TEST: Mapping[str, Schema] = {
    "name": _TEXT,
    "language": {"type": "string", "pattern": _LANGUAGE},
    "source": _enum(Source),
    "facts": {"type": "object", "additionalProperties": _TEXT},
    "call": _list_of({"$ref": "#/$defs/line"}),
    "transcript": {"type": "string", "description": "A transcript's file, as seen from the card's folder."},
    "expect": _named(_enum(Verdict)) | {"minProperties": 1},
}
_LINE: Mapping[str, Schema] = {
    **dict.fromkeys(("agent", "caller", "unknown"), _TEXT),
    "silence": _DURATION,
    "event": _enum(EventKind),
    "confidence": _SHARE,
    "for": _DURATION,
    "by": _enum(("agent", "caller", "unknown")),
    "value": {"type": "number"},
}


def _headed(head: str) -> Schema:
    keys = (head, *OF_ITS_OWN.get(head, ()), *NARROWING)
    return _object({**_BESIDE_A_HEAD, **_NARROWING, head: _HEADS[head]}, (head,), keys) | _NARROWED


def _check(head: str) -> Schema:
    narrowing = NARROWING if head in {"exists", "absent", "count", "of"} else ()
    counted: Mapping[str, Schema] = {
        "at_least": {"type": "integer", "minimum": 1 if head == "of" else 0},
        "at_most": {"type": "integer", "minimum": 0},
    }
    limits = {"count": LIMITS, "of": ("at_least",)}.get(head, ())
    needed = (head, "at_least") if head == "of" else (head,)
    found = _object({**_NARROWING, **counted, **_CHECKS}, needed, (head, *limits, *narrowing))
    counted_at_all = {"anyOf": [{"required": [it]} for it in LIMITS]} if head == "count" else {}
    return found | counted_at_all | (_NARROWED if narrowing else {})


def _line(head: str) -> Schema:
    return _object(_LINE, (head,), (head, *BESIDE[head]))
