"""Whether slots are filled before they are used, and secret ones never reach a voice.

A caller may land on a node with a title from anywhere, with nothing filled; on one that requires a verified caller, with what
every verifying service fills. Secrets are gone after the service that takes them: the driver zeroes them then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.asr.protocol import Grammar
from engine.dialogue.results import slot_of
from engine.ivr.checks.verification import verifies
from engine.ivr.checks.ways import existing_ways
from engine.ivr.checks.wording import placeholders
from engine.ivr.draft import Draft, Way, prompts_of
from engine.ivr.problems import Problem, did_you_mean
from engine.ivr.schema import AskPart, KeypadPart, PromptPart, ServicePart
from engine.written.yaml_tree import Path

Filled = Mapping[str, frozenset[str]]
"""The slots that are filled on every way to a node, by node."""

LIMITS = frozenset({"least", "most"})
"""What ``off_limits`` says beside slots: the limits themselves."""

GRAMMARS = {
    "digits": Grammar.DIGITS,
    "phone": Grammar.DIGITS,
    "amount": Grammar.AMOUNT,
    "date": Grammar.DATE,
    "moment": Grammar.FREE,
    "yes_no": Grammar.YES_NO,
    "card_type": Grammar.FREE,
}
"""What a recogniser may hold its ear to, by the type of the slot that is asked for."""


def open_and_secret(draft: Draft) -> Iterator[Problem]:
    """A slot is either secret everywhere or nowhere."""
    secret = secret_slots(draft)
    for name, node in draft.nodes.items():
        for key, slot in filled_openly(node):
            if slot in secret:
                path = ("nodes", name, *key)
                yield draft.problem(
                    path, "a slot that is nowhere secret", f"{slot!r}, which is keyed in secretly at {secret[slot]!r}"
                )


def spoken_secrets(draft: Draft) -> Iterator[Problem]:
    """Secret digits would be said aloud, cached and written down."""
    secret = secret_slots(draft)
    for path, slot in _spoken(draft):
        if slot in secret:
            yield draft.problem(
                path, "a prompt without secret slots", f"{{{slot}}}, which is keyed in secretly at {secret[slot]!r}"
            )


def unused_secrets(draft: Draft) -> Iterator[Problem]:
    """What no service takes must not be asked for."""
    taken = {slot for node in draft.nodes.values() if isinstance(node, ServicePart) for slot in node.arguments}
    for slot, name in secret_slots(draft).items():
        if slot not in taken:
            path = ("nodes", name, "slot")
            yield draft.problem(path, "a service that takes the secret slot", f"none with {slot!r} among its arguments")


def used_before_filled(draft: Draft) -> Iterator[Problem]:
    """Placeholders and arguments that may still be empty."""
    filled = _filled(draft)
    known = _all_slots(draft)
    for path, slot in [*_spoken(draft), *_arguments(draft), *_recorded(draft)]:
        if slot not in known:
            yield draft.problem(
                path, "a slot that a node before fills", f"{slot!r}, which no node fills", did_you_mean(slot, known)
            )
        elif slot not in filled[str(path[1])]:
            found = f"{slot!r}, which is not filled on every way here"
            yield draft.problem(path, "a slot that is filled before", found, _gap(draft, str(path[1]), slot, filled))


def grammars_that_do_not_fit(draft: Draft) -> Iterator[Problem]:
    """A recogniser that listens for a date can't hear an amount; lengths count digits."""
    for name, node in draft.nodes.items():
        if not isinstance(node, AskPart):
            continue
        if node.grammar not in {None, Grammar.FREE, GRAMMARS[node.value]}:
            path = ("nodes", name, "grammar")
            yield draft.problem(
                path, f"'free' or {str(GRAMMARS[node.value])!r} for the value {node.value!r}", repr(str(node.grammar))
            )
        if node.length is not None and GRAMMARS[node.value] is not Grammar.DIGITS:
            path = ("nodes", name, "length")
            yield draft.problem(path, "a length only where digits are asked for", f"one for the value {node.value!r}")


def secret_slots(draft: Draft) -> Mapping[str, str]:
    """The node that takes each secret slot."""
    return {node.slot: name for name, node in draft.nodes.items() if isinstance(node, KeypadPart) and node.secret}


def filled_openly(node: object) -> Iterator[tuple[Path, str]]:
    match node:
        case AskPart():
            yield ("slot",), node.slot
        case KeypadPart(secret=False):
            yield ("slot",), node.slot
        case ServicePart():
            yield from ((("fills", place), slot) for place, slot in enumerate(node.fills))


def _spoken(draft: Draft) -> Iterator[tuple[Path, str]]:
    for name, node in draft.nodes.items():
        for key, prompt in prompts_of(node):
            own = LIMITS if key == ("off_limits",) else frozenset()
            yield from ((("nodes", name, *key, language), slot) for language, slot in _named_in(prompt) if slot not in own)


def _named_in(prompt: PromptPart) -> Iterator[tuple[str, str]]:
    for language, text in prompt.texts.items():
        try:
            yield from ((language, slot) for slot in dict.fromkeys(slot for slot, _ in placeholders(text)))
        except ValueError:
            continue  # told by wording.broken_placeholders


def _arguments(draft: Draft) -> Iterator[tuple[Path, str]]:
    for name, node in draft.nodes.items():
        if isinstance(node, ServicePart):
            yield from ((("nodes", name, "arguments", place), slot) for place, slot in enumerate(node.arguments))


def _recorded(draft: Draft) -> Iterator[tuple[Path, str]]:
    """Slots that a node's details take, and those that limit or prove a value."""
    for name, node in draft.nodes.items():
        taken: list[tuple[Path, str | None]] = [(("details", key), slot_of(written)) for key, written in node.details.items()]
        if isinstance(node, AskPart):
            taken += [(("between", place), slot_of(limit)) for place, limit in enumerate(node.between or ())]
            taken += [(("equals",), node.equals)]
        yield from ((("nodes", name, *key), slot) for key, slot in taken if slot is not None)


def _all_slots(draft: Draft) -> frozenset[str]:
    openly = (slot for node in draft.nodes.values() for _, slot in filled_openly(node))
    return frozenset(openly) | secret_slots(draft).keys() | draft.part.fields.keys()


def _filled(draft: Draft) -> Filled:
    """A forward analysis to its greatest fixed point: what holds on every way holds."""
    entries = _on_entry(draft)
    filled = {node: entries.get(node, _all_slots(draft)) for node in draft.nodes}
    changed = True
    while changed:
        changed = False
        for way in _all_ways(draft):
            after = filled[way.target] & _after(draft, way, filled[way.source])
            changed = changed or after != filled[way.target]
            filled[way.target] = after
    return filled


def _on_entry(draft: Draft) -> Filled:
    """What is filled when a caller lands on a node without having come along a way."""
    nothing = frozenset(draft.part.fields)
    named = (draft.part.start, draft.part.operator, draft.part.verify, draft.part.right_party)
    entries = dict.fromkeys(it for it in named if it is not None)
    landings = dict.fromkeys([*entries, *draft.intents().values()])
    verified = _filled_by_verifying(draft)
    return {node: nothing | verified if _guarded(draft, node) else nothing for node in landings}


def _guarded(draft: Draft, node: str) -> bool:
    return node in draft.nodes and draft.nodes[node].requires_verified


def _filled_by_verifying(draft: Draft) -> frozenset[str]:
    fills = [
        frozenset(node.fills) for name, node in draft.nodes.items() if isinstance(node, ServicePart) and verifies(draft, name)
    ]
    return frozenset.intersection(*fills) if fills else frozenset()


def _after(draft: Draft, way: Way, before: frozenset[str]) -> frozenset[str]:
    """What is filled once ``way`` is taken."""
    node = draft.nodes[way.source]
    match node:
        case AskPart() if way.label != "otherwise":
            return before | {node.slot}
        case KeypadPart() if way.label != "otherwise":
            return before | {node.slot}
        case ServicePart():
            kept = before - (secret_slots(draft).keys() & set(node.arguments))
            return kept | set(node.fills) if way.path[-1] == "ok" else kept
    return before


def _gap(draft: Draft, node: str, slot: str, filled: Filled) -> str:
    """A way on which the slot is missing, as a hint."""
    if slot not in _on_entry(draft).get(node, {slot}):
        return "callers can land here from anywhere"
    for way in _all_ways(draft):
        if way.target == node and slot not in _after(draft, way, filled[way.source]):
            return f"it is missing when coming from {way.source!r}" + (f" by {way.label!r}" if way.label else "")
    return ""


def _all_ways(draft: Draft) -> Sequence[Way]:
    return [way for node in draft.nodes for way in existing_ways(draft, node)]
