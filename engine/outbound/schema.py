"""The JSON Schema of a campaign file, so that editors complete and check what people write.

It knows the keys, what goes with what and how values are written; which numbers, zones, fields of the flow and do-not-call lists
there are, only the engine knows (``callwright campaign check``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias

from engine.outbound.calendar_file import DAYS
from engine.outbound.campaign import FieldKind, Machine, Missed, Purpose
from engine.outbound.campaign_file import NEEDED, OWN_COLUMNS
from engine.outbound.contacts import Outcome
from engine.outbound.policy_file import PACING_KEYS, SPANS

Schema: TypeAlias = dict[str, Any]

ADDRESS: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Schema = {"type": "string", "pattern": r"\S"}
_NAME: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
_BASIS: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$"}
_LANGUAGE = "^[a-z]{2,3}$"
_COUNTRY = "^[A-Z]{2}$"
_DAY: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "examples": ["2026-12-31"]}
_DAYS: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}(\s*\.\.\s*\d{4}-\d{2}-\d{2})?$"}
_LENGTH: Schema = {
    "type": "string",
    "pattern": r"^(?![0.]+\s*[smhd])\d{1,4}(\.\d{1,3})?\s*(s|min|h|d)$",
    "examples": ["30s", "15min", "2h", "7d"],
}
_YES: Schema = {"enum": ["yes", "no", True, False]}
_NONE: Schema = {"const": "none"}
_HOURS: Schema = {"type": "string", "pattern": r"^\d{1,2}:[0-5]\d\s*[-–]\s*\d{1,2}:[0-5]\d$", "examples": ["9:00-20:00"]}
_ONE_DAY = rf"({'|'.join(DAYS)})(\s*[-–]\s*({'|'.join(DAYS)}))?"


def campaign_schema() -> Schema:
    """Make the schema of a whole file."""
    return {
        "$schema": ADDRESS,
        "title": "A campaign of Callwright",
        **_object(_PROPERTIES, NEEDED),
        "allOf": [_OFFERS, *_MESSAGES],
    }


def _object(properties: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """A mapping of just these keys."""
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**found, "required": list(required)} if required else found


def _list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def _one_or_more(item: Schema) -> Schema:
    return {"anyOf": [item, _list_of(item)]}


def _one_of(words: type[StrEnum]) -> Schema:
    return {"enum": [it.value for it in words]}


def _number(least: float, most: float | None = None, *, above: bool = False) -> Schema:
    return {"type": "number", "exclusiveMinimum" if above else "minimum": least} | ({} if most is None else {"maximum": most})


def _count(least: int = 1, most: int | None = None) -> Schema:
    return {"type": "integer", "minimum": least} | ({} if most is None else {"maximum": most})


def _named(pattern: str, item: Schema) -> Schema:
    """A mapping whose keys look so."""
    return {"type": "object", "patternProperties": {pattern: item}, "additionalProperties": False, "minProperties": 1}


_CAPS: Schema = {**_object(dict.fromkeys(SPANS, _count())), "minProperties": 1}
_WAITS: Schema = {"anyOf": [_NONE, _one_or_more(_LENGTH)]}
_KIND: Schema = _one_of(FieldKind)
_PACING: Mapping[str, Schema] = {
    "lines": _count(),
    "calls_a_second": _number(0, 100, above=True),
    "ring": _LENGTH,
    "operators": _YES,
    "abandoned": _number(0, 1),
    "answer_within": _LENGTH,
}
_PROPERTIES: Mapping[str, Schema] = {
    "campaign": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$", "description": "Its name."},
    "title": {**_TEXT, "description": "What people read."},
    "purpose": {**_one_of(Purpose), "description": "Offers leave alone whose complaint is open, and who had a bad call."},
    "flow": {**_TEXT, "description": "The flow file, as seen from this one."},
    "languages": {**_list_of({"type": "string", "pattern": _LANGUAGE}), "uniqueItems": True},
    "caller_id": {"type": "string", "pattern": r"^\s*\+", "description": "The number that people see, in quotes."},
    "country": {"type": "string", "pattern": _COUNTRY, "description": "Of numbers that are written without one."},
    "zone": {**_TEXT, "examples": ["Europe/Moscow"], "description": "Of people whose row and number don't tell it."},
    "windows": _named(rf"^{_ONE_DAY}(\s*,\s*{_ONE_DAY})*$", _one_or_more(_HOURS)),
    "holidays": {"anyOf": [_NONE, _named(_COUNTRY, {"type": "array", "items": _DAYS})]},
    "first_day": _DAY,
    "last_day": _DAY,
    "caps": _object({"calls": _CAPS, "talks": _CAPS, "gap": _LENGTH}, ("calls",)),
    "retries": _object({"attempts": _count(), "within": _LENGTH, **{it.value: _WAITS for it in Missed}}),
    "consent": {"anyOf": [{"const": "not_needed"}, _list_of(_BASIS)]},
    "do_not_call": {**_list_of(_BASIS), "description": "Lists that are heeded besides opt_outs; they must be there."},
    "hold_back": _object({"complaints": _YES, "bad_calls": {"anyOf": [_NONE, _LENGTH]}}),
    "machine": _one_of(Machine),
    "message": _named(_LANGUAGE, _TEXT),
    "pacing": _object({it: _PACING[it] for it in PACING_KEYS}),
    "priority": _count(0, 100),
    "follow_up": _object({it.value: _list_of(_NAME) for it in Outcome}),
    "fields": {
        "type": "object",
        "propertyNames": {**_NAME, "not": {"enum": list(OWN_COLUMNS)}},
        "additionalProperties": {"anyOf": [_KIND, _object({"kind": _KIND, "required": _YES}, ("kind",))]},
    },
    "columns": {"type": "object", "additionalProperties": _TEXT, "description": "Our name: the list's name."},
}

_OFFERS: Schema = {
    "if": {"properties": {"purpose": {"const": Purpose.OFFER.value}}},
    "then": {"properties": {"hold_back": {"properties": {"complaints": {"enum": ["yes", True]}, "bad_calls": _LENGTH}}}},
}
_LEAVES: Schema = {"properties": {"machine": {"const": Machine.LEAVE_MESSAGE.value}}, "required": ["machine"]}
_MESSAGES: tuple[Schema, ...] = (
    {"if": _LEAVES, "then": {"required": ["message"]}},
    {"if": {"required": ["message"]}, "then": _LEAVES},
)
