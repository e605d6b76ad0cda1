"""Whether a call that we make tells a stranger nothing, and says what comes of it in words that somebody can use.

What is declared ``private`` may be said by nodes that require the right party only; those are reached only past a question, a
proof or a host that says who is on the line.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.dialogue.results import Result, slot_of
from engine.ivr.checks.slots import filled_openly
from engine.ivr.checks.ways import existing_ways, reachable
from engine.ivr.checks.wording import PLACEHOLDER_KINDS, placeholders
from engine.ivr.draft import Draft, prompts_of
from engine.ivr.problems import Problem, did_you_mean, listed
from engine.ivr.schema import AnyNode, AskPart, MenuPart, ServicePart

_SCOPES = ("all", "campaign")
_LIMITED = ("amount", "date", "moment")


def fields_that_can_not_be(draft: Draft) -> Iterator[Problem]:
    """Fields of no known wording, and such as a node would overwrite."""
    for name, field in draft.part.fields.items():
        path = ("fields", name)
        if field.kind not in PLACEHOLDER_KINDS:
            hint = did_you_mean(field.kind, PLACEHOLDER_KINDS)
            yield draft.problem(path, f"a wording of {listed(PLACEHOLDER_KINDS)}", repr(field.kind), hint)
        if field.currency is not None and field.kind != "money":
            yield draft.problem(path, "a currency only where the kind is money", f"one for {field.kind!r}")
    for node, part in draft.nodes.items():
        for key, slot in filled_openly(part):
            if slot in draft.part.fields:
                yield draft.problem(("nodes", node, *key), "a slot of its own", f"{slot!r}, which is a field of the call")


def nothing_asks_who_it_is(draft: Draft) -> Iterator[Problem]:
    """Nodes for the right party only, and no way to know who is on the line."""
    way_in = draft.part.right_party
    if way_in is None:
        for name, node in draft.nodes.items():
            if node.requires_right_party:
                path = ("nodes", name, "requires_right_party")
                yield draft.problem(path, "`right_party: <node>` at the top of the file", "none")
    elif way_in in draft.nodes and not any(_says_who(draft.nodes[node]) for node in _behind(draft, way_in)):
        hint = "let a choice, a question with `equals`, or a service say `sets_right_party: true`"
        yield draft.problem(("right_party",), "a way to learn who is on the line", f"none behind {way_in!r}", hint)


def told_to_strangers(draft: Draft) -> Iterator[Problem]:
    """Private fields, and titles of what is nobody else's business, where anybody may hear them."""
    private = {name for name, field in draft.part.fields.items() if field.private}
    for name, node in draft.nodes.items():
        if node.requires_right_party:
            continue
        for key, prompt in prompts_of(node):
            for language, text in prompt.texts.items():
                for slot in sorted(private & _slots_in(text)):
                    path = ("nodes", name, *key, language)
                    yield draft.problem(path, "`requires_right_party: true` at this node", f"{{{slot}}}, which is private")
        yield from _titles_spelt_out(draft, name, node)


def unsure_of_the_party(draft: Draft) -> Iterator[Problem]:
    """What sets the right party must be said in so many words, or proved."""
    for name, node in draft.nodes.items():
        if isinstance(node, MenuPart):
            for key, choice in node.choices.items():
                if choice.sets_right_party and choice.intent is None:
                    yield draft.problem(("nodes", name, "choices", key), "an intent beside sets_right_party, such as yes", "none")
        if isinstance(node, AskPart) and node.sets_right_party and node.equals is None:
            yield draft.problem(("nodes", name, "sets_right_party"), "`equals: <field>` beside it", "none")


def limits_that_do_not_fit(draft: Draft) -> Iterator[Problem]:
    """Limits of what has none, and words about limits where there are none."""
    for name, node in draft.nodes.items():
        if not isinstance(node, AskPart):
            continue
        if node.between is not None and node.value not in _LIMITED:
            path = ("nodes", name, "between")
            yield draft.problem(path, f"limits only for {listed(_LIMITED)}", f"some for the value {node.value!r}")
        if node.off_limits is not None and node.between is None:
            yield draft.problem(("nodes", name, "off_limits"), "`between` beside it", "none")


def outcomes_that_tell_nothing(draft: Draft) -> Iterator[Problem]:
    """Details of no outcome, an opt-out from nobody knows what, and what counts everywhere but can't be said."""
    for name, node in draft.nodes.items():
        if node.details and node.outcome is None:
            yield draft.problem(("nodes", name, "details"), "an outcome beside its details", "none")
        scope = node.details.get("scope")
        if node.outcome is Result.OPTED_OUT and scope is not None and scope not in _SCOPES:
            yield draft.problem(("nodes", name, "details", "scope"), f"one of {listed(_SCOPES)}", repr(scope))
        if node.outcome is Result.CALL_LATER and slot_of(node.details.get("at", "{at}")) is None:
            yield draft.problem(("nodes", name, "details", "at"), "the slot of a moment, such as {at}", repr(node.details["at"]))
        if node.everywhere and draft.intent_of(name) is None:
            yield draft.problem(("nodes", name, "everywhere"), "a title: what is said to come here", "none, or by_voice: false")


def _titles_spelt_out(draft: Draft, name: str, node: AnyNode) -> Iterator[Problem]:
    if not isinstance(node, MenuPart) or node.keys_prompt is not None:
        return
    for key, choice in node.choices.items():
        target = draft.nodes.get(choice.to)
        if target is not None and target.requires_right_party and target.title is not None:
            path = ("nodes", name, "choices", key)
            yield draft.problem(path, "a keys_prompt in this menu", f"the title of {choice.to!r}, which a stranger must not hear")


def _slots_in(text: str) -> set[str]:
    try:
        return {slot for slot, _ in placeholders(text)}
    except ValueError:
        return set()  # told by wording.broken_placeholders


def _says_who(node: AnyNode) -> bool:
    match node:
        case MenuPart():
            return any(choice.sets_right_party for choice in (*node.choices.values(), *node.also))
        case AskPart() | ServicePart():
            return node.sets_right_party
    return False


def _behind(draft: Draft, way_in: str) -> set[str]:
    return reachable([way_in], lambda node: [way.target for way in existing_ways(draft, node)])
