"""What the caller keyed: a choice, yes or no, an entry, or one of the keys that mean the same everywhere.

Keys leave no doubt, so nothing keyed is confirmed, and nothing keyed is taken back. Of a secret entry only the length is known.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.dialogue import actions as do
from engine.dialogue.answering import accept_value, refuse_value
from engine.dialogue.events import KeyPressed, KeysCollected, SecretCollected
from engine.dialogue.graph import Ask, Global, Keypad, Menu
from engine.dialogue.ladder import Option, own_intents, target_of
from engine.dialogue.memory import Asked, Choose, Confirm, Own, ReadBack, State
from engine.dialogue.questions import YES_NO, entry_for, fits, fitted
from engine.dialogue.step import Step
from engine.dialogue.trying import fail, jump, put, refuse
from engine.dialogue.walking import walk

_YES, _NO = "1", "2"

CONVENTIONS: Mapping[str, Global] = {"0": Global.OPERATOR, "*": Global.BACK, "9": Global.REPEAT, "#": Global.REPEAT}
"""Keys that mean the same everywhere, unless the menu uses them for a choice of its own."""


def press(step: Step, event: KeyPressed) -> None:
    """Take a single key as the answer to the open question, or as a wish that can be keyed anywhere."""
    if isinstance(step.node, Keypad):
        return None
    step.note_keys()
    asked = step.memory.asking.asked
    option = _choice(step, asked, event.key)
    if option is not None:
        return jump(step, option, do.Rung.KEYS, "by key")
    if event.key in {_YES, _NO} and _is_yes_or_no(step, asked):
        return _answer_yes_or_no(step, asked, yes=event.key == _YES)
    if event.key in CONVENTIONS:
        return _press_convention(step, event.key)
    if step.memory.state is State.ASSISTING or not _answered_by_one_key(step, asked):
        return None
    return fail(step, do.Rung.NO_MATCH, "no such key")


def press_on_the_way(step: Step, event: KeyPressed) -> None:
    """Take a key while nothing is being asked: only the conventional ones mean anything."""
    if step.interrupts and event.key in CONVENTIONS:
        _press_convention(step, event.key)


def enter_keys(step: Step, event: KeysCollected) -> None:
    """Take an open entry as the value that was asked for."""
    node = step.node
    if not isinstance(node, Ask | Keypad):
        return None
    if not event.value:
        return _nothing_keyed(step)
    step.note_keys()
    if not fits(node, event.value):
        return fail(step, do.Rung.NO_MATCH, "not a value that fits")
    if isinstance(node, Ask):
        return _enter_value(step, node, event.value)
    step.act(do.Decided(do.Rung.KEYS, node.id, node.then, reason="keyed"))
    step.fill(node.slot, event.value)
    return walk(step, node.then)


def _enter_value(step: Step, node: Ask, keyed: str) -> None:
    value = fitted(node, keyed, step.known)
    if value is None:
        return refuse_value(step, node)
    if node.read_back:
        step.act(do.Decided(do.Rung.CONFIRM, node.id, node.then, reason="always read back"))
        return put(step, ReadBack(value, None))
    return accept_value(step, node, value, do.Rung.KEYS, "keyed")


def enter_secret(step: Step, event: SecretCollected) -> None:
    """Go on when a secret entry is complete; the driver holds the digits."""
    node = step.node
    if not isinstance(node, Keypad):
        return None
    if event.count == 0:
        return _spoken_instead(step) if event.spoken else _nothing_keyed(step)
    step.note_keys()
    if not event.valid:
        return fail(step, do.Rung.NO_MATCH, "not an entry that fits")
    step.act(do.Decided(do.Rung.KEYS, node.id, node.then, reason="keyed"))
    return walk(step, node.then)


def answers(step: Step, key: str) -> bool:
    """Whether a key answers the open question."""
    asked = step.memory.asking.asked
    return _choice(step, asked, key) is not None or (key in {_YES, _NO} and _is_yes_or_no(step, asked))


def _spoken_instead(step: Step) -> None:
    """The caller has told what is to be keyed: nobody has listened, and the keys are asked for."""
    if step.memory.state is State.KEYING:
        fail(step, do.Rung.KEYS, "talked, where keys are asked for")


def _nothing_keyed(step: Step) -> None:
    """No key came: that is silence, unless the prompt still plays, the caller is talking or somebody else is at work."""
    entry = entry_for(step)
    if step.memory.state is State.PROMPTING and entry is not None:
        step.collect(entry)
    elif step.memory.state in {State.LISTENING, State.KEYING}:
        fail(step, do.Rung.NO_INPUT, "nothing keyed")


def _choice(step: Step, asked: Asked, key: str) -> Option | None:
    node = step.node
    if isinstance(asked, Choose):
        return {"1": asked.first, "2": asked.second}.get(key)
    if not isinstance(asked, Own) or not isinstance(node, Menu):
        return None
    found = next((choice for choice in node.choices if choice.key == key), None)
    if found is None:
        return None
    return Option(found.intent or own_intents(step.flow, found.target)[0], found.target, None)


def _is_yes_or_no(step: Step, asked: Asked) -> bool:
    asks_it_itself = isinstance(asked, Own) and isinstance(step.node, Ask) and step.node.type == YES_NO
    return isinstance(asked, Confirm | ReadBack) or asks_it_itself


def _answered_by_one_key(step: Step, asked: Asked) -> bool:
    return isinstance(step.node, Menu) or not isinstance(asked, Own) or _is_yes_or_no(step, asked)


def _answer_yes_or_no(step: Step, asked: Asked, *, yes: bool) -> None:
    node = step.node
    match asked:
        case Confirm(option):
            return jump(step, option, do.Rung.KEYS, "confirmed by key") if yes else refuse(step, option.intent)
        case ReadBack(value) if isinstance(node, Ask):
            return accept_value(step, node, value, do.Rung.KEYS, "confirmed by key") if yes else refuse(step)
        case _ if isinstance(node, Ask):
            return accept_value(step, node, "yes" if yes else "no", do.Rung.KEYS, "by key")
    return None


def _press_convention(step: Step, key: str) -> None:
    wish = str(CONVENTIONS[key])  # the intent's name; the enum itself would stand for a global that is no place
    target = target_of(step.flow, step.node, wish)
    if target is not None and target != step.memory.node:
        step.note_keys()
        jump(step, Option(wish, target, None), do.Rung.KEYS, "by key")
