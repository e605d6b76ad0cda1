"""Whether everything that is said has every language, and says only what can be filled in."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence

from engine.ivr.defaults import WORDING_SLOTS, defaults
from engine.ivr.draft import GLOBAL_NAMES, Draft, prompts_of
from engine.ivr.problems import Problem, did_you_mean, listed
from engine.ivr.schema import ONLY_LANGUAGE, MenuPart, PromptPart, WordingPart
from engine.tts.wording import Kind
from engine.written.yaml_tree import Path

PLACEHOLDER_KINDS = tuple(str(kind) for kind in Kind)
"""How a value can be worded for the voice: ``{balance:money}``."""


def languages_named_twice(draft: Draft) -> Iterator[Problem]:
    for place, language in enumerate(draft.languages):
        if language in draft.languages[:place]:
            yield draft.problem(("languages", place), "each language once", repr(language))


def missing_languages(draft: Draft) -> Iterator[Problem]:
    """Prompts, titles and spoken forms of nodes that lack a language, or have one too many."""
    for name, node in draft.nodes.items():
        for key, prompt in prompts_of(node):
            yield from _languages(draft, ("nodes", name, *key), prompt.texts)
        if node.title is not None:
            yield from _languages(draft, ("nodes", name, "title"), node.title)
        yield from _strange_languages(draft, ("nodes", name, "synonyms"), node.synonyms)


def broken_placeholders(draft: Draft) -> Iterator[Problem]:
    """Braces that don't close, and wordings that no value can have."""
    for name, node in draft.nodes.items():
        for key, prompt in prompts_of(node):
            for language, text in prompt.texts.items():
                yield from _placeholders(draft, ("nodes", name, *key, language), text)
        for language, title in (node.title or {}).items():
            if "{" in title:
                yield draft.problem(("nodes", name, "title", language), "a title without placeholders", repr(title))


def machine_wording(draft: Draft) -> Iterator[Problem]:
    """The machine's own sentences and the globals: own wording where there is none built in, with the places it needs."""
    for name in WordingPart.model_fields:
        for prompt in _own(draft, name):
            yield from _strange_languages(draft, ("wording", name), prompt)
            yield from _wrong_slots(draft, name, prompt)
        known = [language for built_in in _built_in(name) for language in built_in]
        yield from _without_default(draft, ("wording", name), [*known, *(it for own in _own(draft, name) for it in own)])
    for name in sorted(GLOBAL_NAMES):
        forms = getattr(draft.part.globals, name)
        yield from _strange_languages(draft, ("globals", name), forms)
        yield from _without_default(draft, ("globals", name), [*forms, *getattr(defaults().globals, name)])


def recordings_of_two_texts(draft: Draft) -> Iterator[Problem]:
    """One recording can't say two things."""
    first: dict[str, PromptPart] = {}
    for name, node in draft.nodes.items():
        for key, prompt in prompts_of(node):
            if prompt.recording and first.setdefault(prompt.recording, prompt).texts != prompt.texts:
                path = ("nodes", name, *key, "recording")
                yield draft.problem(path, "one text for each recording", f"another text for {prompt.recording!r}")


def keys_without_names(draft: Draft) -> Iterator[Problem]:
    """A keys prompt can be made only of titles."""
    for name, node in draft.nodes.items():
        if isinstance(node, MenuPart) and node.keys_prompt is None:
            for key, choice in node.choices.items():
                if choice.to in draft.nodes and draft.nodes[choice.to].title is None:
                    path = ("nodes", name, "choices", key)
                    yield draft.problem(path, f"a title at {choice.to!r}, or a keys_prompt in this menu", "neither")


def placeholders(text: str) -> Sequence[tuple[str, str]]:
    """The slots a text names, with the wording asked for.

    Raises:
        ValueError: its braces don't match.
    """
    return [(slot, kind or "") for _, slot, kind, _ in string.Formatter().parse(text) if slot is not None]


def _placeholders(draft: Draft, path: Path, text: str) -> Iterator[Problem]:
    try:
        found = placeholders(text)
    except ValueError as error:
        yield draft.problem(path, "braces that open and close, as in {slot}", str(error), "write a brace itself as {{ or }}")
        return
    for _, kind in found:
        if kind and kind not in PLACEHOLDER_KINDS:
            yield draft.problem(
                path, f"a wording of {listed(PLACEHOLDER_KINDS)}", repr(kind), did_you_mean(kind, PLACEHOLDER_KINDS)
            )


def _languages(draft: Draft, path: Path, texts: Iterable[str]) -> Iterator[Problem]:
    written = list(texts)
    yield from _strange_languages(draft, path, written)
    for language in draft.languages:
        if language not in written and ONLY_LANGUAGE not in written:
            yield draft.problem(
                (*path, language), f"a text in {language!r}", f"only {listed(map(repr, written))}" if written else "none"
            )


def _strange_languages(draft: Draft, path: Path, written: Iterable[str]) -> Iterator[Problem]:
    for language in written:
        if language == ONLY_LANGUAGE and len(draft.languages) > 1:
            yield draft.problem(path, f"a text for each of {', '.join(draft.languages)}", "one without a language")
        elif language != ONLY_LANGUAGE and language not in draft.languages:
            yield draft.problem((*path, language), f"a language of the flow: {listed(draft.languages)}", repr(language))


def _without_default(draft: Draft, path: Path, known: Iterable[str]) -> Iterator[Problem]:
    """A text without a language is the only language's."""
    have = set(known)
    for language in draft.languages:
        if language not in have and ONLY_LANGUAGE not in have:
            yield draft.problem(path, f"own words in {language!r}, for which none are built in", "none")


def _own(draft: Draft, name: str) -> list[dict[str, str]]:
    return _texts(getattr(draft.part.wording, name))


def _built_in(name: str) -> list[dict[str, str]]:
    return _texts(getattr(defaults().wording, name))


def _texts(part: object) -> list[dict[str, str]]:
    match part:
        case PromptPart():
            return [part.texts]
        case list():
            return [prompt.texts for prompt in part]
        case dict():
            return [part]
    return []


def _wrong_slots(draft: Draft, name: str, texts: dict[str, str]) -> Iterator[Problem]:
    wanted = WORDING_SLOTS.get(name, ())
    for language, text in texts.items():
        try:
            found = sorted({slot for slot, _ in placeholders(text)})
        except ValueError as error:
            yield draft.problem(("wording", name, language), "braces that open and close", str(error))
            continue
        if found != sorted(wanted):
            names = [f"{{{slot}}}" for slot in found]
            expected = " and ".join(f"{{{slot}}}" for slot in wanted) or "no placeholder"
            yield draft.problem(("wording", name, language), expected, ", ".join(names) or "none")
