"""From a checked draft to the graph that the dialogue walks. It can't fail: what could be wrong was found before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.core.units import Language, Seconds
from engine.dialogue.bounds import Bounds
from engine.dialogue.graph import (
    Ask,
    Choice,
    End,
    Field,
    FixedPrompts,
    Flow,
    Global,
    Keypad,
    Menu,
    Node,
    NodeId,
    Patience,
    Prompt,
    Say,
    Service,
    SlotName,
    Thresholds,
    Transfer,
)
from engine.dialogue.results import Recorded
from engine.ivr.checks.slots import GRAMMARS
from engine.ivr.checks.voice import merged_thresholds
from engine.ivr.defaults import Defaults, defaults
from engine.ivr.draft import Draft
from engine.ivr.schema import (
    ONLY_LANGUAGE,
    AnyNode,
    AskPart,
    ChoicePart,
    EndPart,
    KeypadPart,
    MenuPart,
    PromptPart,
    SayPart,
    ServicePart,
    TransferPart,
)

_SINGLE_PROMPTS = (
    "confirm",
    "choose",
    "no_input",
    "no_match",
    "use_keys",
    "to_operator",
    "help",
    "read_back",
    "not_allowed",
    "host_failed",
    "not_transferred",
)


def compile_flow(draft: Draft, text: str) -> Flow:
    """Make the graph of a draft in which no problem was found."""
    return _Compiler(draft).flow(hashlib.sha256(text.encode()).hexdigest())


class _Compiler:
    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._part = draft.part
        self._languages = tuple(Language(it) for it in draft.languages)
        self._defaults: Defaults = defaults()

    def flow(self, revision: str) -> Flow:
        part = self._part
        return Flow(
            name=part.flow,
            revision=revision,
            languages=self._languages,
            start=NodeId(part.start),
            nodes={NodeId(name): self._node(name, node) for name, node in part.nodes.items()},
            intents={intent: NodeId(node) for intent, node in self._draft.intents().items()},
            examples=self._examples(),
            operator=NodeId(part.operator),
            fixed=self._fixed(),
            verify=_optional(part.verify),
            right_party=_optional(part.right_party),
            fields={SlotName(name): Field(it.kind, it.currency, it.private) for name, it in part.fields.items()},
            listen_first=None if part.listen_first is None else Seconds(part.listen_first),
            globals={name: self._global(name) for name in Global},
            thresholds=merged_thresholds(part.thresholds),
            intent_thresholds=self._intent_thresholds(),
            patience=self._patience(),
        )

    def _node(self, name: str, part: AnyNode) -> Node:
        base = self._base(name, part)
        match part:
            case MenuPart():
                return self._menu(name, part, base)
            case AskPart():
                return self._ask(name, part, base)
            case KeypadPart():
                return self._keypad(name, part, base)
            case ServicePart():
                return _service(part, base)
        return _plain(part, base)

    def _base(self, name: str, part: AnyNode) -> dict[str, Any]:
        return {
            "id": NodeId(name),
            "prompts": self._prompts(f"{name}.prompt", part.prompt),
            "title": self._texts(part.title or {}),
            "synonyms": {self._language(it): tuple(forms) for it, forms in part.synonyms.items()},
            "requires_verified": part.requires_verified,
            "requires_right_party": part.requires_right_party,
            "everywhere": part.everywhere,
            "records": None if part.outcome is None else Recorded(part.outcome, dict(part.details)),
            "barge_in": part.barge_in,
            "thresholds": merged_thresholds(self._part.thresholds, part.thresholds) if part.thresholds else None,
        }

    def _menu(self, name: str, part: MenuPart, base: dict[str, Any]) -> Menu:
        keyed = [_choice(choice, key) for key, choice in part.choices.items()]
        return Menu(
            **base,
            choices=(*keyed, *(_choice(choice) for choice in part.also)),
            reprompts=self._prompts(f"{name}.reprompt", part.reprompts),
            keys_prompt=self._prompt(f"{name}.keys", part.keys_prompt) if part.keys_prompt else self._spelt_out(name, part),
            open=part.open,
            otherwise=_optional(part.otherwise),
        )

    def _ask(self, name: str, part: AskPart, base: dict[str, Any]) -> Ask:
        return Ask(
            **base,
            slot=SlotName(part.slot),
            type=part.value,
            grammar=part.grammar or GRAMMARS[part.value],
            length=part.length,
            read_back=part.read_back,
            reprompts=self._prompts(f"{name}.reprompt", part.reprompts),
            keys_prompt=self._prompt(f"{name}.keys", part.keys_prompt) if part.keys_prompt else None,
            bounds=None if part.between is None else Bounds(*part.between),
            off_limits=self._prompt(f"{name}.off_limits", part.off_limits) if part.off_limits else None,
            equals=None if part.equals is None else SlotName(part.equals),
            sets_right_party=part.sets_right_party,
            unasked=part.unasked,
            then=NodeId(part.then),
            otherwise=_optional(part.otherwise),
        )

    def _keypad(self, name: str, part: KeypadPart, base: dict[str, Any]) -> Keypad:
        return Keypad(
            **base,
            slot=SlotName(part.slot),
            secret=part.secret,
            length=part.length,
            finish_key=part.finish_key,
            luhn=part.luhn,
            reprompts=self._prompts(f"{name}.reprompt", part.reprompts),
            then=NodeId(part.then),
            otherwise=_optional(part.otherwise),
        )

    def _spelt_out(self, name: str, part: MenuPart) -> Prompt:
        """Every key with what it leads to, made of the titles."""
        lines = self._wording("key_choice")
        targets = {key: self._texts(self._part.nodes[choice.to].title or {}) for key, choice in part.choices.items()}
        texts = {
            language: " ".join(
                _capital(lines[language].format(title=title[language], key=self._key_name(key, language)))
                for key, title in targets.items()
            )
            for language in self._languages
        }
        return Prompt(f"{name}.keys", texts)

    def _key_name(self, key: str, language: Language) -> str:
        return self._defaults.key_names.get(key, {}).get(language, key)

    def _fixed(self) -> FixedPrompts:
        singles = {name: Prompt(f"fixed.{name}", self._wording(name)) for name in _SINGLE_PROMPTS}
        own = self._part.wording.filler
        return FixedPrompts(filler=self._prompts("fixed.filler", own or self._defaults.prompts("filler")), **singles)

    def _wording(self, name: str) -> Mapping[Language, str]:
        """A sentence of the machine's own: the flow's, else the built-in one, language by language."""
        own, built_in = (_texts_of(getattr(it, name)) for it in (self._part.wording, self._defaults.wording))
        return self._texts(built_in) | self._texts(own)

    def _global(self, name: Global) -> Mapping[Language, tuple[str, ...]]:
        own, built_in = (getattr(it, name.value) for it in (self._part.globals, self._defaults.globals))
        return self._by_language(built_in, tuple) | self._by_language(own, tuple)

    def _examples(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for sentence in self._draft.sentences:
            found.setdefault(sentence.intent, {})[sentence.text] = None
        return {intent: tuple(sentences) for intent, sentences in found.items()}

    def _intent_thresholds(self) -> Mapping[str, Thresholds]:
        given = {name: intent.thresholds for name, intent in self._part.intents.items()}
        return {name: merged_thresholds(self._part.thresholds, it) for name, it in given.items() if it is not None}

    def _patience(self) -> Patience:
        it = self._part.patience
        return Patience(
            no_input=Seconds(it.no_input),
            tries=it.tries,
            assist=Seconds(it.assist),
            between_keys=Seconds(it.between_keys),
            take_back=Seconds(it.take_back),
            host=Seconds(it.host),
            hearing=Seconds(it.hearing),
        )

    def _prompts(self, id: str, parts: Sequence[PromptPart]) -> tuple[Prompt, ...]:
        """The first is called ``id``, the second ``id.2``: a recording keeps its name when another prompt is added behind it."""
        return tuple(self._prompt(id if number == 1 else f"{id}.{number}", part) for number, part in enumerate(parts, start=1))

    def _prompt(self, id: str, part: PromptPart) -> Prompt:
        return Prompt(part.recording or id, self._texts(part.texts))

    def _texts(self, texts: Mapping[str, str]) -> dict[Language, str]:
        return self._by_language(texts, self._worded)

    def _worded(self, text: str) -> str:
        """A field is worded as what it is, unless the text says otherwise."""
        for name, field in self._part.fields.items():
            text = text.replace(f"{{{name}}}", f"{{{name}:{field.kind}}}")
        return text

    def _by_language(self, values: Mapping[str, Any], make: Callable[[Any], Any]) -> dict[Language, Any]:
        named = {self._language(it): make(value) for it, value in values.items()}
        return {language: named[language] for language in self._languages if language in named}

    def _language(self, written: str) -> Language:
        return self._languages[0] if written == ONLY_LANGUAGE else Language(written)


def _plain(part: SayPart | TransferPart | EndPart, base: dict[str, Any]) -> Node:
    match part:
        case SayPart():
            return Say(**base, then=NodeId(part.then))
        case TransferPart():
            return Transfer(**base, destination=part.destination, failed=_optional(part.failed))
    return End(**base)


def _service(part: ServicePart, base: dict[str, Any]) -> Service:
    return Service(
        **base,
        operation=part.operation,
        arguments=tuple(SlotName(it) for it in part.arguments),
        fills=tuple(SlotName(it) for it in part.fills),
        sets_verified=part.sets_verified,
        sets_right_party=part.sets_right_party,
        outcomes={outcome: NodeId(target) for outcome, target in part.outcomes.items()},
        failed=_optional(part.failed),
        safe=part.safe,
    )


def _choice(part: ChoicePart, key: str | None = None) -> Choice:
    return Choice(NodeId(part.to), key, part.intent, part.sets_right_party)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _optional(node: str | None) -> NodeId | None:
    return None if node is None else NodeId(node)


def _texts_of(part: PromptPart | Mapping[str, str] | None) -> Mapping[str, str]:
    match part:
        case None:
            return {}
        case PromptPart():
            return part.texts
    return part
