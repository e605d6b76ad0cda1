"""Whether what callers say leads to one node, and is known well enough to be told apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from engine.dialogue.graph import Thresholds
from engine.dialogue.questions import PLAIN_ANSWERS
from engine.ivr.defaults import defaults
from engine.ivr.draft import GLOBAL_NAMES, OUT_OF_SCOPE, Draft, Sentence
from engine.ivr.problems import Problem, did_you_mean
from engine.ivr.schema import ChoicePart, MenuPart, ThresholdsPart
from engine.written.yaml_tree import Path

FEWEST_EXAMPLES = 5
"""An intent has this many examples or none: fewer teach a classifier their wording instead of their meaning."""

_NOT_SPOKEN = re.compile(r"[\W_]+")


def intents_of_two_nodes(draft: Draft) -> Iterator[Problem]:
    first = draft.intents()
    for node in draft.nodes:
        intent = draft.intent_of(node)
        if intent and first[intent] != node:
            yield draft.problem(
                ("nodes", node, "intent"), "one node for each intent", f"{intent!r}, which leads to {first[intent]!r} as well"
            )


def reserved_intents(draft: Draft) -> Iterator[Problem]:
    """What can be said anywhere has its meaning already."""
    for intent, node in draft.intents().items():
        reserved = intent in {*GLOBAL_NAMES, OUT_OF_SCOPE} and not (intent == "operator" and node == draft.part.operator)
        if reserved:
            yield draft.problem(
                ("nodes", node, "intent"), "an intent of the flow's own", f"{intent!r}, which the engine uses itself"
            )


def choices_of_unknown_intents(draft: Draft) -> Iterator[Problem]:
    known = set(draft.intents()) | {sentence.intent for sentence in draft.sentences}
    for path, intent in _chosen_intents(draft):
        if intent not in known | PLAIN_ANSWERS:
            yield draft.problem(path, "an intent of a node or of examples", repr(intent), did_you_mean(intent, known))


def names_that_collide(draft: Draft) -> Iterator[Problem]:
    """Two nodes, or a node and a global, that are called the same."""
    taken: dict[tuple[str, str], str] = {}
    for name in sorted(GLOBAL_NAMES):
        place = {"operator": draft.part.operator, "main_menu": draft.part.start}.get(name, name)
        owner = place if place in draft.nodes else name
        own = getattr(draft.part.globals, name)
        for language, forms in (getattr(defaults().globals, name) | own).items():
            taken.update({(language or draft.languages[0], _spoken(form)): owner for form in forms})
    for node, path, language, form in _node_names(draft):
        owner = taken.setdefault((language or draft.languages[0], _spoken(form)), node)
        if owner != node:
            yield draft.problem(path, "a spoken name that nothing else has", f"{form!r}, which {owner!r} has as well")


def settings_of_unknown_intents(draft: Draft) -> Iterator[Problem]:
    known = _expected_intents(draft)
    for intent in draft.part.intents:
        if intent not in known:
            yield draft.problem(("intents", intent), "an intent of a node", repr(intent), did_you_mean(intent, known))


def too_few_examples(draft: Draft) -> Iterator[Problem]:
    counts = Counter(sentence.intent for sentence in draft.sentences)
    for intent, count in counts.items():
        if count < FEWEST_EXAMPLES:
            first = next(it for it in draft.sentences if it.intent == intent)
            yield _about(draft, first, f"at least {FEWEST_EXAMPLES} examples of {intent!r}, or none", str(count))


def examples_of_unknown_intents(draft: Draft) -> Iterator[Problem]:
    known = _expected_intents(draft)
    told = set(draft.part.intents)  # those are told by settings_of_unknown_intents
    for sentence in draft.sentences:
        if sentence.intent not in known | told:
            told.add(sentence.intent)
            yield _about(draft, sentence, "an intent of a node", repr(sentence.intent), did_you_mean(sentence.intent, known))


def examples_that_contradict(draft: Draft) -> Iterator[Problem]:
    """The same words can't teach two intents."""
    first: dict[str, Sentence] = {}
    for sentence in draft.sentences:
        other = first.setdefault(_spoken(sentence.text), sentence)
        if other.intent != sentence.intent:
            found = f"{sentence.text!r} for {sentence.intent!r} and, in line {other.line}, for {other.intent!r}"
            yield _about(draft, sentence, "an example of one intent only", found)


def thresholds_out_of_order(draft: Draft) -> Iterator[Problem]:
    """What isn't sure enough to be confirmed can't be sure enough to jump."""
    places: list[tuple[Path, ThresholdsPart | None]] = [(("thresholds",), draft.part.thresholds)]
    places += [(("intents", name, "thresholds"), intent.thresholds) for name, intent in draft.part.intents.items()]
    places += [(("nodes", name, "thresholds"), node.thresholds) for name, node in draft.nodes.items()]
    for path, part in places:
        if part is not None:
            whole = merged_thresholds(draft.part.thresholds, part)
            if whole.confirm > whole.accept:
                yield draft.problem(path, f"confirm up to accept ({whole.accept})", f"confirm {whole.confirm}")


def merged_thresholds(*parts: ThresholdsPart) -> Thresholds:
    """The built-in thresholds, overridden by each part in turn."""
    values = {name: value for part in parts for name, value in part.model_dump(exclude_none=True).items()}
    return Thresholds(**values)


def _expected_intents(draft: Draft) -> set[str]:
    return {*draft.known_intents(), *(intent for _, intent in _chosen_intents(draft))}


def _chosen_intents(draft: Draft) -> Iterator[tuple[Path, str]]:
    """The intents that menus name at their choices."""
    for name, node in draft.nodes.items():
        if isinstance(node, MenuPart):
            keyed = ((("nodes", name, "choices", key), choice) for key, choice in node.choices.items())
            others = ((("nodes", name, "also", place), choice) for place, choice in enumerate(node.also))
            yield from (
                ((*path, "intent"), choice.intent)
                for path, choice in chain[tuple[Path, ChoicePart]](keyed, others)
                if choice.intent
            )


def _node_names(draft: Draft) -> Iterator[tuple[str, Path, str, str]]:
    for name, node in draft.nodes.items():
        for language, title in (node.title or {}).items():
            yield name, ("nodes", name, "title", language), language, title
        for language, forms in node.synonyms.items():
            for place, form in enumerate(forms):
                yield name, ("nodes", name, "synonyms", language, place), language, form


def _spoken(form: str) -> str:
    """What is left of a name when it is said."""
    return _NOT_SPOKEN.sub(" ", form.casefold()).strip()


def _about(draft: Draft, sentence: Sentence, expected: str, found: str, hint: str = "") -> Problem:
    if sentence.path:
        return draft.problem(sentence.path, expected, found, hint)
    return Problem(sentence.line, 1, "", expected, found, hint, sentence.file)
