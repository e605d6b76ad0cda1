"""What is told of a recording beside its sound: ``NAME.json`` (or ``NAME.wav.json``) beside ``NAME.wav``.

An object of facts: ``{"agent": "a.lee", "team": "blue", "queue": "cards", "direction": "inbound", "campaign": "spring",
"language": "en", "started_at": "2026-11-20T14:03:11+01:00", "left": "agent"}``. Any other name is a fact too. A time without a
zone is of this machine's; ``left`` says who speaks on the left channel, the caller unless it says ``agent``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from engine.core.errors import MediaError
from engine.core.units import Language

LARGEST = 65_536  # bytes
_MOST_FACTS = 64


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


_Fact = Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00-\x1f]*$"), BeforeValidator(_text)]


@dataclass(frozen=True, slots=True)
class Description:
    """What is told of a call."""

    facts: Mapping[str, str] = field(default_factory=dict)

    language: Language | None = None

    started_at: datetime | None = None
    """UTC."""


class _Written(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, coerce_numbers_to_str=True)
    __pydantic_extra__: dict[str, _Fact | None] = Field(init=False)

    language: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z]{2,3}([-_]\w+)*$")] | None = None
    started_at: datetime | None = None
    left: Literal["caller", "agent"] | None = None

    @model_validator(mode="after")
    def _not_too_many(self) -> _Written:
        if len(self.__pydantic_extra__) > _MOST_FACTS:
            raise ValueError(f"expected at most {_MOST_FACTS} facts, found {len(self.__pydantic_extra__)}")
        return self


def parse_description(text: bytes, name: str) -> Description:
    """Read a description; ``name`` is what to call it in messages.

    Raises:
        MediaError: it is none; says what was expected where, and never what was found, which may be anybody's secret.
    """
    try:
        written = _Written.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = str(first["loc"][0]) if first["loc"] else "the file"
        raise MediaError(
            f"{name}: expected an object of facts, each a text of at most 256 letters; {place}: {first['msg']}"
        ) from None
    left = {} if written.left is None else {"left": written.left}
    facts = {name: value for name, value in written.__pydantic_extra__.items() if value is not None}
    return Description(facts | left, _language(written.language), _utc(written.started_at))


def _language(tag: str | None) -> Language | None:
    """Its primary part: ``en`` of ``en-GB``."""
    return None if tag is None else Language(tag.replace("_", "-").partition("-")[0].lower())


def _utc(told: datetime | None) -> datetime | None:
    return None if told is None else told.astimezone(UTC)
