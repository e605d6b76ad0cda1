"""What is being asked, in three forms: in words for the caller, as hints for the recogniser, as a question for the understanding.

A yes or no is expected where something is read back, but the ear stays free while a wish is confirmed, because callers answer
"no, I want my balance".
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from engine.asr.protocol import Grammar, Hints
from engine.core.units import Language, Seconds
from engine.dialogue.actions import CollectKeys, Listen, Spoken
from engine.dialogue.bounds import Known, within
from engine.dialogue.graph import Ask, Flow, Keypad, Menu, Node, NodeId
from engine.dialogue.ladder import allowed_intents, said_anywhere
from engine.dialogue.memory import Asked, Choose, Confirm, Own, ReadBack
from engine.dialogue.step import Step
from engine.dialogue.wording import offered, read_back, title
from engine.nlu.interpretation import Question

YES_NO = "yes_no"
PLAIN_ANSWERS = frozenset({"yes", "no"})
"""Intents of choices that a plain yes and no take."""

_KEYED_LENGTHS = {"digits": (1, 32), "amount": (1, 9), "phone": (3, 15)}  # slot types that can be keyed; E.164 has 15 digits
_FINISH_KEY = "#"


def words_of(step: Step) -> tuple[Spoken, ...]:
    """Word the present question for the caller."""
    fixed, language, asked = step.flow.fixed, step.memory.language, step.memory.asking.asked
    match asked:
        case Own():
            return tuple(step.word(prompt) for prompt in step.node.prompts)
        case Confirm(option):
            return (step.word(fixed.confirm, title=offered(step.flow, option, language)),)
        case Choose(first, second):
            names = {"first": offered(step.flow, first, language), "second": offered(step.flow, second, language)}
            return (step.word(fixed.choose, **names),)
        case ReadBack(value):
            return (read_back(fixed.read_back, step.node, language, value),) if isinstance(step.node, Ask) else ()
    assert_never(asked)


def listen_for(step: Step) -> Listen:
    """Put the present question to the recogniser and to the understanding."""
    listen = _listen_for(step)
    local = step.local
    if local is None:
        return listen
    return replace(listen, question=replace(listen.question, today=local.date(), local=local))


def _listen_for(step: Step) -> Listen:
    node, language, asked = step.node, step.memory.language, step.memory.asking.asked
    phrases = _phrases(step.flow, node, asked, language)
    if isinstance(asked, Own):
        grammar = _ear_for(step.flow, node.grammar) if isinstance(node, Ask) else Grammar.FREE
        return Listen(node.id, Hints(language, grammar, phrases), _own_question(step.flow, node, language))
    if isinstance(asked, ReadBack):
        question = Question(language, said_anywhere(step.flow), YES_NO)
        return Listen(node.id, Hints(language, _ear_for(step.flow, Grammar.YES_NO)), question)
    return Listen(node.id, Hints(language, Grammar.FREE, phrases), Question(language, _intents(step.flow, node), YES_NO))


def entry_for(step: Step) -> CollectKeys | None:
    """The keypad entry that belongs to the present question, if it has one."""
    node, patience = step.node, step.flow.patience
    if isinstance(node, Keypad):
        waits = (patience.no_input, patience.between_keys)
        return CollectKeys(node.slot, node.secret, node.length, node.finish_key, *waits, node.luhn)
    if isinstance(node, Ask) and isinstance(step.memory.asking.asked, Own) and node.type in _KEYED_LENGTHS:
        length = node.length or _KEYED_LENGTHS[node.type]
        return CollectKeys(node.slot, False, length, _FINISH_KEY, patience.no_input, patience.between_keys)
    return None


def longest(entry: CollectKeys) -> Seconds:
    """How long an entry takes at most, from the end of the prompt; the driver ends it before."""
    return Seconds(entry.first_key + entry.length[1] * entry.between_keys)


def can_be_keyed(node: Node) -> bool:
    """Whether the node's question can be answered by keys."""
    match node:
        case Menu():
            return any(choice.key is not None for choice in node.choices)
        case Ask():
            return node.type in _KEYED_LENGTHS or node.type == YES_NO
    return isinstance(node, Keypad)


def fits(node: Ask | Keypad, value: str) -> bool:
    """Whether a value has the length, and where asked for the check digit, that its node wants."""
    counted = isinstance(node, Keypad) or node.type == "digits"
    if counted and node.length is not None and not node.length[0] <= len(value) <= node.length[1]:
        return False
    return bool(value) and (not isinstance(node, Keypad) or not node.luhn or passes_luhn(value))


def fitted(node: Ask, value: str, known: Known) -> str | None:
    """``value`` in its normal form where it is what its node wants; else ``None``."""
    if not fits(node, value) or (node.equals is not None and value != known.slots.get(node.equals)):
        return None
    return value if node.bounds is None else within(node.bounds, node.type, value, known)


def passes_luhn(digits: str) -> bool:
    """Whether open digits carry a correct check digit (ISO/IEC 7812-1, annex B)."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0


def takes_plain_answers(node: Node) -> bool:
    """Whether a yes or a no alone is a choice there."""
    return isinstance(node, Menu) and any(choice.intent in PLAIN_ANSWERS for choice in node.choices)


def _ear_for(flow: Flow, grammar: Grammar) -> Grammar:
    """A recogniser that holds its ear to dates hears no "don't call me again": where that counts, it listens freely."""
    return Grammar.FREE if any(node.everywhere for node in flow.nodes.values()) else grammar


def _own_question(flow: Flow, node: Node, language: Language) -> Question:
    also = tuple(sorted({one.type for one in flow.nodes.values() if isinstance(one, Ask) and one.unasked}))
    if isinstance(node, Ask):
        return Question(language, _intents(flow, node), node.type, node.length, also=also)
    return Question(language, _intents(flow, node), YES_NO if takes_plain_answers(node) else None, also=also)


def _intents(flow: Flow, node: Node) -> tuple[str, ...]:
    everything = isinstance(node, Menu) and node.open
    return () if everything else allowed_intents(flow, node)


def _phrases(flow: Flow, node: Node, asked: Asked, language: Language) -> tuple[str, ...]:
    match asked:
        case Confirm(option):
            return (offered(flow, option, language),)
        case Choose(first, second):
            return (offered(flow, first, language), offered(flow, second, language))
    if not isinstance(node, Menu):
        return ()
    return tuple(dict.fromkeys(name for choice in node.choices for name in _names(flow, choice.target, language)))


def _names(flow: Flow, target: NodeId, language: Language) -> tuple[str, ...]:
    return (title(flow, target, language), *flow.nodes[target].synonyms.get(language, ()))
