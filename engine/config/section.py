"""What all tables of the configuration share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Port = Annotated[int, Field(ge=0, le=65535)]
T = TypeVar("T")
NoneIfEmpty = Annotated[T | None, BeforeValidator(lambda found: None if found == "" else found)]
"""What can be switched off: TOML has no null, so an empty string says it."""


def several(found: str | tuple[str, ...]) -> tuple[str, ...]:
    """What may be written as one value or as a list of them, as a list."""
    return (found,) if isinstance(found, str) else found


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def beside(self, folder: Path) -> Self:
        """With every relative path counted from ``folder``."""
        now = {name: getattr(self, name) for name in type(self).model_fields}
        there = {name: _beside(value, folder) for name, value in now.items()}
        return self.model_copy(update={name: value for name, value in there.items() if value != now[name]})


def _beside(found: Any, folder: Path) -> Any:
    match found:
        case Path():
            return folder / found
        case Section():
            return found.beside(folder)
        case Mapping():
            return {name: _beside(one, folder) for name, one in found.items()}
        case tuple():
            return tuple(_beside(one, folder) for one in found)
        case _:
            return found
