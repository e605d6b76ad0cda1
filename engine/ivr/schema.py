"""What a flow file may hold, key by key. The words a designer writes; ``engine.ivr.compiler`` turns them into the graph.

Scalars arrive as text (see ``engine.written.yaml_tree``) and become numbers here. Nothing here looks further than one value:
whether targets exist, prompts have every language and callers can get out again is checked on the whole file, in
``engine.ivr.checks``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from engine.asr.protocol import Grammar
from engine.core.secrets import KEYS
from engine.ivr.outbound_schema import Between, Details, FieldSpec, Result
from engine.ivr.parts import Name, Words, refuse, shown

__all__ = ["refuse", "shown"]

ONLY_LANGUAGE = ""
"""Stands for the flow's only language where a text was written without naming one."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s)")
_LONGEST_S = 120.0  # nobody holds a telephone in silence for longer


def _seconds(value: object) -> float:
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        refuse("a length of time such as 5s or 800ms", value)
    length = float(match[1]) / (1000 if match[2] == "ms" else 1)
    if not 0 < length <= _LONGEST_S:
        refuse(f"a length of time above 0s and up to {_LONGEST_S:.0f}s", value)
    return length


def _key(value: object) -> str:
    if not isinstance(value, str) or len(value) != 1 or value not in KEYS:
        refuse("one key of the pad: 0 to 9, *, # or A to D", value, "write * and # in quotes")
    return value


def _length(value: object) -> object:
    if isinstance(value, str):
        value = [value, value]
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(it, str) and it.isdigit() for it in value):
        refuse("a length such as 4, or the fewest and the most as in [4, 6]", value)
    fewest, most = map(int, value)
    if not 1 <= fewest <= most <= 64:
        refuse("a fewest from 1 up to the most, and a most up to 64", f"{fewest} to {most}")
    return fewest, most


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _as_text(value: object) -> object:
    """A text alone is in the flow's only language."""
    return {ONLY_LANGUAGE: value} if isinstance(value, str) else value


def _as_prompt(value: object) -> object:
    match value:
        case str():
            return {"texts": {ONLY_LANGUAGE: value}}
        case {"recording": recording, **texts}:
            return {"texts": texts, "recording": recording}
        case Mapping():
            return {"texts": value}
    return value


def _as_forms(value: object) -> object:
    """Spoken forms: a text, a list of texts, or either for each language."""
    by_language = value if isinstance(value, Mapping) else {ONLY_LANGUAGE: value}
    return {language: _as_list(forms) for language, forms in by_language.items()}


def _as_choice(value: object) -> object:
    return {"to": value} if isinstance(value, str) else value


def _as_examples(value: object) -> object:
    return {"file": value} if isinstance(value, str) else {"sentences": value}


LanguageTag: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Duration: TypeAlias = Annotated[float, BeforeValidator(_seconds)]
PadKey: TypeAlias = Annotated[str, BeforeValidator(_key)]
Length: TypeAlias = Annotated[tuple[int, int], BeforeValidator(_length)]
Probability: TypeAlias = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Text: TypeAlias = Annotated[dict[str, Words], BeforeValidator(_as_text)]
Forms: TypeAlias = Annotated[dict[str, list[Words]], BeforeValidator(_as_forms)]


class Part(BaseModel):
    """A piece of the file: a key that isn't named here is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PromptPart(Part):
    texts: dict[str, Words]
    recording: Name | None = None


Prompt: TypeAlias = Annotated[PromptPart, BeforeValidator(_as_prompt)]
Prompts: TypeAlias = Annotated[list[Prompt], BeforeValidator(_as_list)]


class ThresholdsPart(Part):
    """What is left out is the flow's."""

    accept: Probability | None = None
    confirm: Probability | None = None
    margin: Probability | None = None


class PatiencePart(Part):
    no_input: Duration = 5.0
    tries: Annotated[int, Field(ge=1, le=2)] = 2
    assist: Duration = 6.0
    between_keys: Duration = 3.0
    take_back: Duration = 1.0
    host: Duration = 8.0
    hearing: Duration = 20.0


class ExamplesPart(Part):
    """Sentences, or the name of a file of them (JSON lines of ``text``, ``intent``, ``lang``)."""

    file: Words | None = None
    sentences: list[Words] = []


Examples: TypeAlias = Annotated[ExamplesPart, BeforeValidator(_as_examples)]


class IntentPart(Part):
    examples: Examples = ExamplesPart()
    thresholds: ThresholdsPart | None = None


class ChoicePart(Part):
    to: Name
    intent: Name | None = None
    sets_right_party: bool = False


Choice: TypeAlias = Annotated[ChoicePart, BeforeValidator(_as_choice)]


class NodePart(Part):
    """What every node may have."""

    title: Text | None = None
    synonyms: Forms = {}
    intent: Name | None = None
    by_voice: bool = True
    """Whether a caller may land here from anywhere by saying so."""
    requires_verified: bool = False
    requires_right_party: bool = False
    everywhere: bool = False
    """Whether callers may land here at every question, closed menus and values included."""
    outcome: Result | None = None
    details: Details = {}
    barge_in: bool = True
    thresholds: ThresholdsPart | None = None
    prompt: Prompts = []

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.title is None and (self.synonyms or self.intent):
            refuse("a title beside synonyms or an intent: what to call the node when it is read back", None)
        return self


class SayPart(NodePart):
    type: Literal["say"]
    prompt: Prompts
    then: Name


class MenuPart(NodePart):
    type: Literal["menu"]
    prompt: Prompts
    choices: Annotated[dict[PadKey, Choice], Field(min_length=1)]
    also: list[Choice] = []
    """Ways out that have no key."""
    reprompts: Prompts = []
    keys_prompt: Prompt | None = None
    open: bool = True
    otherwise: Name | None = None


class AskPart(NodePart):
    type: Literal["ask"]
    prompt: Prompts
    slot: Name
    value: Literal["digits", "amount", "date", "moment", "phone", "yes_no", "card_type"] = "digits"
    grammar: Grammar | None = None
    length: Length | None = None
    read_back: bool | None = None
    reprompts: Prompts = []
    keys_prompt: Prompt | None = None
    between: Between | None = None
    off_limits: Prompt | None = None
    equals: Name | None = None
    sets_right_party: bool = False
    unasked: bool = False
    then: Name
    otherwise: Name | None = None


class KeypadPart(NodePart):
    type: Literal["keypad"]
    prompt: Prompts
    slot: Name
    secret: bool = True
    length: Length
    finish_key: PadKey = "#"
    luhn: bool = False
    reprompts: Prompts = []
    then: Name
    otherwise: Name | None = None


class ServicePart(NodePart):
    type: Literal["service"]
    operation: Name
    arguments: list[Name] = []
    fills: list[Name] = []
    sets_verified: bool = False
    sets_right_party: bool = False
    outcomes: dict[Name, Name]
    failed: Name | None = None
    safe: bool = False
    """Whether asking changes nothing at the bank."""


class TransferPart(NodePart):
    type: Literal["transfer"]
    destination: Words
    failed: Name | None = None


class EndPart(NodePart):
    type: Literal["end"]
    prompt: Prompts


AnyNode: TypeAlias = SayPart | MenuPart | AskPart | KeypadPart | ServicePart | TransferPart | EndPart
Node: TypeAlias = Annotated[AnyNode, Field(discriminator="type")]

NODE_PARTS: Mapping[str, type[NodePart]] = {
    "say": SayPart,
    "menu": MenuPart,
    "ask": AskPart,
    "keypad": KeypadPart,
    "service": ServicePart,
    "transfer": TransferPart,
    "end": EndPart,
}


class GlobalsPart(Part):
    """Spoken forms of what can be said anywhere; what is left out has the built-in forms."""

    help: Forms = {}
    repeat: Forms = {}
    back: Forms = {}
    main_menu: Forms = {}
    operator: Forms = {}


class WordingPart(Part):
    """The machine's own sentences; what is left out has the built-in wording."""

    confirm: Prompt | None = None
    choose: Prompt | None = None
    filler: Prompts | None = None
    no_input: Prompt | None = None
    no_match: Prompt | None = None
    use_keys: Prompt | None = None
    to_operator: Prompt | None = None
    help: Prompt | None = None
    read_back: Prompt | None = None
    not_allowed: Prompt | None = None
    host_failed: Prompt | None = None
    not_transferred: Prompt | None = None
    key_choice: Text | None = None
    """One line of a generated keys prompt, with ``{title}`` and ``{key}``."""


class FlowPart(Part):
    """The whole file."""

    flow: Name
    languages: Annotated[list[LanguageTag], Field(min_length=1)]
    start: Name
    operator: Name
    verify: Name | None = None
    right_party: Name | None = None
    """Where it is asked who is on the line, in a call that we make."""
    fields: dict[Name, FieldSpec] = {}
    """What is known of the person beforehand."""
    listen_first: Duration | None = None
    """How long to wait for a "hello?" before saying anything."""
    examples: Words | None = None
    """A file of labelled sentences for all intents."""
    thresholds: ThresholdsPart = ThresholdsPart()
    patience: PatiencePart = PatiencePart()
    intents: dict[Name, IntentPart] = {}
    globals: GlobalsPart = GlobalsPart()
    wording: WordingPart = WordingPart()
    nodes: Annotated[dict[Name, Node], Field(min_length=1)]


_PARTS_BY_KEY: Mapping[str, type[Part]] = {
    "thresholds": ThresholdsPart,
    "patience": PatiencePart,
    "globals": GlobalsPart,
    "wording": WordingPart,
}
_PARTS_BY_COLLECTION: Mapping[str, type[Part]] = {"intents": IntentPart, "choices": ChoicePart, "also": ChoicePart}


def keys_allowed_at(place: Sequence[str | int]) -> Sequence[str]:
    """Which keys the part at ``place`` (a pydantic location, a node's type included) may hold; for hints."""
    part: type[Part] | None = None
    match place:
        case ():
            part = FlowPart
        case ("nodes", _, str(kind)):
            part = NODE_PARTS.get(kind)
        case (*_, str(collection), _) if collection in _PARTS_BY_COLLECTION:
            part = _PARTS_BY_COLLECTION[collection]
        case (*_, str(key)):
            part = _PARTS_BY_KEY.get(key)
    return list(part.model_fields) if part else []
