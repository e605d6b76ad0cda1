"""Events and actions as JSON and back, exactly, for journals.

Nothing is written by hand here: the unions in :mod:`engine.dialogue.events` and :mod:`engine.dialogue.actions` are walked, and
each field is written and read by its annotation. So a type that is added to a union can be journalled at once, and a secret can't
slip in: there is no form for a type that is not one of the plain ones below. The text is canonical (keys sorted, no spaces), so
two replays can be compared byte for byte.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from engine.core.errors import MediaError, PrivacyError
from engine.dialogue.actions import Action
from engine.dialogue.events import Event, Tick

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_TAG = "type"
_WRITABLE: Mapping[type, Any] = {float: (int, float)}
_TYPES: Mapping[str, type] = {kind.__name__: kind for kind in (*get_args(Event), *get_args(Action), Tick)}


def encode(step: Event | Action | Tick) -> dict[str, Json]:
    """Write an event or an action as plain JSON values; ``type`` names it."""
    return {_TAG: type(step).__name__, **_write_fields(step)}


def decode(written: Mapping[str, Json]) -> Event | Action | Tick:
    """Read what :func:`encode` has written.

    Raises:
        MediaError: it is not an event or an action, or a field is missing, unknown or of another type.
    """
    name = written.get(_TAG)
    kind = _TYPES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise MediaError(f"expected the type of an event or an action, found {name!r}")
    return cast("Event | Action | Tick", _read_fields(kind, {key: value for key, value in written.items() if key != _TAG}))


def to_json(steps: Event | Action | Tick | Iterable[Event | Action | Tick]) -> str:
    """Write one of them, or several as a list, as canonical JSON."""
    written: Json = [encode(step) for step in steps] if isinstance(steps, Iterable) else encode(steps)
    return json.dumps(written, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def from_json(text: str) -> Event | Action | Tick:
    """Read one of them.

    Raises:
        MediaError: it is not JSON, or not an event or an action.
    """
    try:
        written = json.loads(text)
    except json.JSONDecodeError as error:
        raise MediaError(f"expected JSON, found {error.msg} at {error.pos}") from error
    if not isinstance(written, dict):
        raise MediaError(f"expected a JSON object, found {type(written).__name__}")
    return decode(written)


def actions_from_json(text: str) -> tuple[Action, ...]:
    """Read a list of actions, as a journal's step keeps them.

    Raises:
        MediaError: it is not JSON, or not a list of actions.
    """
    try:
        written = json.loads(text)
    except json.JSONDecodeError as error:
        raise MediaError(f"expected JSON, found {error.msg} at {error.pos}") from error
    if not isinstance(written, list) or not all(isinstance(one, dict) for one in written):
        raise MediaError(f"expected a list of actions, found {type(written).__name__}")
    return tuple(cast("Action", decode(one)) for one in written)


@cache
def _annotations(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _write_fields(value: object) -> dict[str, Json]:
    kind: Any = type(value)
    return {name: _write(getattr(value, name), annotation) for name, annotation in _annotations(kind).items()}


def _write(value: Any, annotation: Any) -> Json:
    annotation = _plain(annotation)
    if value is None:
        return None
    if is_dataclass(annotation):
        return _write_fields(value)
    if get_origin(annotation) is tuple:
        return [_write(item, of) for item, of in zip(value, _items(annotation, len(value)), strict=True)]
    if _is_mapping(annotation):
        return {str(key): _write(item, get_args(annotation)[1]) for key, item in value.items()}
    return _write_scalar(value, annotation)


def _write_scalar(value: Any, annotation: Any) -> Json:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return cast("str", value.value)
    if annotation in {date, datetime}:
        return cast("str", value.isoformat())
    if annotation in {str, int, float, bool} and isinstance(value, _WRITABLE.get(annotation, annotation)):
        return cast("Json", annotation(value))  # an int where a float belongs would be read as another text
    raise PrivacyError(f"expected {annotation} to write, found {type(value).__name__}")


def _read_fields(kind: type, written: Mapping[str, Json]) -> object:
    known = _annotations(kind)
    if unknown := sorted(written.keys() - known.keys()):
        raise MediaError(f"{kind.__name__}: expected only its own fields, found {', '.join(unknown)}")
    given = {name: _read(value, known[name], f"{kind.__name__}.{name}") for name, value in written.items()}
    try:
        return kind(**given)
    except TypeError as error:
        needed = ", ".join(field.name for field in fields(kind) if field.name not in given)
        raise MediaError(f"{kind.__name__}: expected all its fields, found none of {needed}") from error


def _read(written: Any, annotation: Any, where: str) -> object:
    if written is None and type(None) in get_args(annotation):
        return None
    annotation = _plain(annotation)
    if is_dataclass(annotation) and isinstance(annotation, type):
        return _read_fields(annotation, _expect(written, dict, where))
    if get_origin(annotation) is tuple:
        items = _expect(written, list, where)
        kinds = _items(annotation, len(items))
        if len(items) != len(kinds):
            raise MediaError(f"{where}: expected {len(kinds)} values, found {len(items)}")
        return tuple(_read(item, kind, where) for item, kind in zip(items, kinds, strict=True))
    if _is_mapping(annotation):
        return {key: _read(item, get_args(annotation)[1], where) for key, item in _expect(written, dict, where).items()}
    return _read_scalar(written, annotation, where)


def _read_scalar(written: Any, annotation: Any, where: str) -> object:
    if issubclass(annotation, Enum):
        return _member(annotation, written, where)
    if annotation is date:
        return _day(written, where)
    if annotation is datetime:
        return _moment(written, where)
    return annotation(_expect(written, _WRITABLE.get(annotation, annotation), where))


def _plain(annotation: Any) -> Any:
    """See through ``NewType`` and ``| None``."""
    while hasattr(annotation, "__supertype__"):
        annotation = annotation.__supertype__
    if get_origin(annotation) in {Union, types.UnionType}:
        (annotation,) = (part for part in get_args(annotation) if part is not type(None))
        return _plain(annotation)
    return annotation


def _items(annotation: Any, count: int) -> tuple[Any, ...]:
    of = get_args(annotation)
    return (of[0],) * count if of[1:] == (...,) else of


def _is_mapping(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _expect(written: Any, kind: Any, where: str) -> Any:
    if not isinstance(written, kind) or (isinstance(written, bool) and kind is not bool):
        raise MediaError(f"{where}: expected {kind}, found {type(written).__name__}")
    return written


def _member(kind: type[Enum], written: Any, where: str) -> Enum:
    try:
        return kind(written)
    except ValueError as error:
        raise MediaError(f"{where}: expected one of {', '.join(str(one.value) for one in kind)}, found {written!r}") from error


def _moment(written: Any, where: str) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except (TypeError, ValueError) as error:
        raise MediaError(f"{where}: expected a time such as 2026-11-21T18:30:00, found {written!r}") from error


def _day(written: Any, where: str) -> date:
    try:
        return date.fromisoformat(written)
    except (TypeError, ValueError) as error:
        raise MediaError(f"{where}: expected a day such as 2026-11-21, found {written!r}") from error
