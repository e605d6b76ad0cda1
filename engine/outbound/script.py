"""What a campaign's flow says to a contact: whether it can, and its first words, without a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from engine.core.units import Language, Seconds
from engine.dialogue.actions import Action, Play, Spoken
from engine.dialogue.events import Answered, KeyPressed, PlayFinished
from engine.dialogue.graph import Flow, Menu
from engine.dialogue.machine import Dialogue, State
from engine.outbound.campaign import Campaign, FieldKind
from engine.tts.wording import Kind, fill

_MOST_STEPS: Final = 40
_AGREES: Final = 2  # times: that it is them, and that it is a good time
_WORDED_AS: Final[Mapping[str, frozenset[FieldKind]]] = {
    Kind.MONEY: frozenset({FieldKind.AMOUNT}),
    Kind.DATE: frozenset({FieldKind.DATE}),
    Kind.NUMBER: frozenset({FieldKind.NUMBER}),
    Kind.ORDINAL: frozenset({FieldKind.NUMBER}),
    Kind.DIGITS: frozenset({FieldKind.LAST4}),
    Kind.TEXT: frozenset({FieldKind.TEXT, FieldKind.LAST4}),
    Kind.NAME: frozenset({FieldKind.TEXT}),
}
"""How a flow may word each kind of field."""


def mismatches(policy: Campaign, flow: Flow) -> Iterator[str]:
    """What the flow needs and the campaign does not have: each a sentence of what was expected and found."""
    for language in policy.languages:
        if language not in flow.languages:
            yield f"languages: expected languages of the flow ({', '.join(flow.languages)}), found {language!r}"
    for name, wanted in flow.fields.items():
        found = policy.fields.get(name)
        if found is None:
            yield f"fields: expected {name!r}, which the flow says, found none"
            continue
        if not found.required:
            yield f"fields.{name}: expected a field that is required, as the flow says it to everybody, found required: no"
        if found.kind not in _WORDED_AS.get(wanted.kind, FieldKind):
            yield f"fields.{name}: expected a kind that the flow can word as {wanted.kind!r}, found {found.kind.value!r}"


def first_words(flow: Flow, language: Language, fields: Mapping[str, str], local: datetime) -> Sequence[tuple[Spoken, str]]:
    """What is said to somebody who says yes to the first two questions; each prompt with its words.

    ``local`` is the person's wall clock, naive. The person is made up and answers by keys; nothing leaves the machine.

    Raises:
        ConfigError: a value is missing or can't be worded.
    """
    return [(it, fill(it.text, it.values, language)) for it in _spoken(flow, language, fields, local)]


def _spoken(flow: Flow, language: Language, fields: Mapping[str, str], local: datetime) -> Iterator[Spoken]:
    dialogue, now, agreed = Dialogue(flow, language=language), Seconds(0.0), 0
    actions: Sequence[Action] = dialogue.receive(Answered(dialogue.language, fields, local), now)
    for _ in range(_MOST_STEPS):
        plays = [it for it in actions if isinstance(it, Play)]
        for it in plays:
            yield from it.spoken
        if plays:
            now = Seconds(now + 1.0)
            actions = dialogue.receive(PlayFinished(plays[-1].play), now)
        elif dialogue.state is State.LISTENING and agreed < _AGREES and (key := _yes(flow, dialogue)) is not None:
            now, agreed = Seconds(now + 1.0), agreed + 1
            actions = dialogue.receive(KeyPressed(key), now)
        elif dialogue.deadline is not None and dialogue.state is not State.LISTENING:
            now = dialogue.deadline
            actions = dialogue.tick(now)
        else:
            return


def _yes(flow: Flow, dialogue: Dialogue) -> str | None:
    """The key that says yes to what is asked now; ``None`` where it is no such question."""
    node = flow.nodes[dialogue.node] if dialogue.node is not None else None
    if not isinstance(node, Menu):
        return None
    return next((it.key for it in node.choices if it.key and (it.sets_right_party or it.intent == "yes")), None)
