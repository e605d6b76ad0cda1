"""What a flow file says of calls that we make: the person's fields, limits of values, and what comes of the call."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from engine.dialogue.results import Result
from engine.ivr.parts import Name, Words, refuse

_LIMIT = re.compile(r"today|now|\d{1,3} days?|\{[a-z][a-z0-9_]*\}|\d{4}-\d{2}-\d{2}|\d{1,12}(\.\d{2})?( [A-Z]{3})?")


def _as_field(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


def _limit(value: object) -> str:
    if not isinstance(value, str) or _LIMIT.fullmatch(value.strip()) is None:
        refuse("a limit: today, now, a number of days such as 14 days, {a_slot}, a sum or a day", value)
    return value.strip()


def _between(value: object) -> object:
    if not isinstance(value, list) or len(value) != 2:
        refuse("the least and the most, as in [today, 14 days]", value)
    return value


Limit: TypeAlias = Annotated[str, BeforeValidator(_limit)]
Between: TypeAlias = Annotated[tuple[Limit, Limit], BeforeValidator(_between)]
Currency: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class FieldPart(BaseModel):
    """One thing that is known of a person before the call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Words = "text"
    currency: Currency | None = None
    private: bool = False


FieldSpec: TypeAlias = Annotated[FieldPart, BeforeValidator(_as_field)]
Details: TypeAlias = Annotated[dict[Name, Words], Field(max_length=16)]

__all__ = ["Between", "Details", "FieldPart", "FieldSpec", "Result"]
