"""The built-in wording and spoken forms, read once from ``defaults.yaml`` beside this file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from engine.ivr.problems import FlowErrors
from engine.ivr.schema import GlobalsPart, PromptPart, Text, WordingPart
from engine.written.yaml_tree import read_tree

FILE = "engine/ivr/defaults.yaml"

WORDING_SLOTS = {
    "confirm": ("title",),
    "choose": ("first", "second"),
    "read_back": ("value",),
    "key_choice": ("title", "key"),
}
"""What a sentence of the machine's own must hold, by its name under ``wording``; the others hold nothing."""

ImportWords = Literal["root_title", "operator_title", "greeting", "menu", "transfer", "end", "reprompt"]


class Defaults(BaseModel):
    """The whole of ``defaults.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wording: WordingPart
    key_names: dict[str, Text]
    globals: GlobalsPart
    import_: dict[ImportWords, Text]

    def prompts(self, name: str) -> list[PromptPart]:
        """The built-in prompts called ``name`` under ``wording``."""
        found = getattr(self.wording, name)
        return found if isinstance(found, list) else [found]


@cache
def defaults() -> Defaults:
    """The built-in wording; parsed once."""
    text = files("engine.ivr").joinpath("defaults.yaml").read_text(encoding="utf-8")
    match read_tree(text, FILE, FlowErrors).value:
        case {"import": imported, **rest}:
            return Defaults.model_validate(rest | {"import_": imported})
    raise AssertionError(f"{FILE} has no part called import")
