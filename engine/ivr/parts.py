"""What the parts of a flow file have in common: names, words, and how a value is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NoReturn, TypeAlias

from pydantic import StringConstraints
from pydantic_core import PydanticCustomError

_NAME_RULE = r"^[a-z][a-z0-9_]*$"
Name: TypeAlias = Annotated[str, StringConstraints(pattern=_NAME_RULE, max_length=64)]
Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


def refuse(expected: str, found: object, hint: str = "") -> NoReturn:
    """Refuse a value in the words of :class:`engine.ivr.problems.Problem`."""
    raise PydanticCustomError("flow", "{expected}", {"expected": expected, "found": shown(found), "hint": hint})


def shown(value: object) -> str:
    """A value as a message quotes it."""
    match value:
        case None:
            return "nothing"
        case Mapping():
            return f"a mapping of {', '.join(map(str, value)) or 'nothing'}"
        case str():
            return repr(value) if len(value) <= 60 else repr(value[:57] + "...")
        case Sequence():
            return f"a list of {len(value)}"
    return repr(value)
