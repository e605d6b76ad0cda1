"""A flow file whose every value is of the right kind, on its way to be checked as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.dialogue.graph import Global
from engine.ivr.problems import Problem
from engine.ivr.schema import (
    AnyNode,
    AskPart,
    FlowPart,
    KeypadPart,
    MenuPart,
    PromptPart,
    SayPart,
    ServicePart,
    TransferPart,
)
from engine.written.yaml_tree import Path, Tree, dotted

OUT_OF_SCOPE = "out_of_scope"
"""The intent of what no node serves: it has examples and no node."""

GLOBAL_NAMES = frozenset(str(name) for name in Global)


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a node, where the file names it."""

    source: str
    target: str
    path: Path
    label: str = ""
    """What takes it: a key, an outcome, ``failed``."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One labelled example."""

    text: str
    intent: str
    language: str
    file: str
    line: int
    path: Path = ()
    """Where it stands in the flow file; empty when it comes from a file of its own."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The file's parts with their places, and what was read beside it."""

    part: FlowPart
    tree: Tree
    file: str
    sentences: Sequence[Sentence] = field(default=())

    @property
    def nodes(self) -> Mapping[str, AnyNode]:
        return self.part.nodes

    @property
    def languages(self) -> Sequence[str]:
        return self.part.languages

    def problem(self, path: Path, expected: str, found: str, hint: str = "") -> Problem:
        return Problem(*self.tree.place(path), dotted(path), expected, found, hint, self.file)

    def ways(self, node: str) -> Iterator[Way]:
        """Every way out of ``node`` that the file writes down; targets may be missing."""
        for key, target in _targets(self.nodes[node]):
            yield Way(node, target, ("nodes", node, *key), _label(key))

    def intent_of(self, node: str) -> str | None:
        """What a caller says to land on ``node`` from anywhere; ``None`` where that isn't possible."""
        part = self.nodes[node]
        return (part.intent or node) if part.title is not None and part.by_voice else None

    def intents(self) -> Mapping[str, str]:
        """The node of each intent; of two nodes with the same, the first."""
        found: dict[str, str] = {}
        for node in self.nodes:
            if intent := self.intent_of(node):
                found.setdefault(intent, node)
        return found

    def known_intents(self) -> frozenset[str]:
        """Every intent that examples or thresholds may be given for."""
        return frozenset(self.intents()) | GLOBAL_NAMES | {OUT_OF_SCOPE}


def prompts_of(part: AnyNode) -> Iterator[tuple[Path, PromptPart]]:
    """Everything a node says, with where it stands in the node."""
    for key in ("prompt", "reprompts"):
        prompts = getattr(part, key, ())
        for place, prompt in enumerate(prompts):
            yield ((key, place) if len(prompts) > 1 else (key,)), prompt
    for key in ("keys_prompt", "off_limits"):
        if prompt := getattr(part, key, None):
            yield (key,), prompt


def _targets(part: AnyNode) -> Iterator[tuple[Path, str]]:
    match part:
        case SayPart() | AskPart():
            yield ("then",), part.then
        case MenuPart():
            yield from ((("choices", key), choice.to) for key, choice in part.choices.items())
            yield from ((("also", place), choice.to) for place, choice in enumerate(part.also))
        case KeypadPart():
            yield ("then",), part.then
        case ServicePart():
            yield from ((("outcomes", outcome), target) for outcome, target in part.outcomes.items())
            yield from _when_failed(part)
        case TransferPart():
            yield from _when_failed(part)
    if isinstance(part, MenuPart | AskPart | KeypadPart) and part.otherwise:
        yield ("otherwise",), part.otherwise


def _when_failed(part: ServicePart | TransferPart) -> Iterator[tuple[Path, str]]:
    if part.failed:
        yield ("failed",), part.failed


def _label(key: Path) -> str:
    match key:
        case ("choices" | "outcomes", str(name)):
            return name
        case ("also", _) | ("then",):
            return ""
    return str(key[0])
