"""From prompts to what is said: the right language, and only the values the text asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.core.units import Language
from engine.dialogue.actions import Spoken
from engine.dialogue.graph import Ask, Flow, NodeBase, NodeId, Prompt
from engine.dialogue.ladder import Option

_PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")

_KINDS: Mapping[str, str] = {"digits": "digits", "amount": "money", "date": "date", "moment": "moment", "phone": "phone"}
"""How a slot type is worded when it is read back."""

_ORDINALS: Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "en": (re.compile(r"(?:the )?(?:first|1st)(?: one| option)?"), re.compile(r"(?:the )?(?:second|2nd|last)(?: one| option)?")),
    "ru": (re.compile(r"перв(?:ое|ый|ая|ую)(?: вариант)?"), re.compile(r"(?:втор(?:ое|ой|ая|ую)|последн(?:ее|ий))(?: вариант)?")),
    "zh": (re.compile(r"(?:第一|前一?|前者)[个项种]?"), re.compile(r"(?:第二|后一?|后者)[个项种]?")),
}
"""How callers name the first and the second of two; nothing beside it, for "just a second" is no choice."""

_POLITE = re.compile(r"[^\w ]|\b(?:please|um|uh|пожалуйста|ну)\b|请")


def spoken(prompt: Prompt, language: Language, values: Mapping[str, str]) -> Spoken:
    """Take ``prompt`` in ``language``, with those of ``values`` that it has a place for."""
    text = prompt.texts[language]
    places = _PLACE.findall(text)
    return Spoken(prompt.id, text, {name: values[name] for name in places if name in values})


def title(flow: Flow, target: NodeId, language: Language) -> str:
    """What ``target`` is called when it is offered: its title, else a synonym, else its id in words."""
    node: NodeBase = flow.nodes[target]
    if language in node.title:
        return node.title[language]
    return next(iter(node.synonyms.get(language, ())), target.replace("_", " "))


def offered(flow: Flow, option: Option, language: Language) -> str:
    """What ``option`` is called."""
    return title(flow, option.node, language) if option.node is not None else option.intent


def read_back(prompt: Prompt, node: Ask, language: Language, value: str) -> Spoken:
    """Read ``value`` back, worded as what it is: a sum as money, digits one by one."""
    said = spoken(prompt, language, {"value": value})
    kind = _KINDS.get(node.type)
    return said if kind is None else Spoken(said.prompt, said.text.replace("{value}", f"{{value:{kind}}}"), said.values)


def ordinal(text: str, language: Language) -> int | None:
    """Whether ``text`` names the first (1) or the second (2) of two; ``None`` where it says anything else."""
    patterns = _ORDINALS.get(language, ())
    bare = _POLITE.sub("", text.lower()).strip()
    return next((place for place, pattern in enumerate(patterns, start=1) if pattern.fullmatch(bare)), None)
