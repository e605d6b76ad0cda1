"""A small bank's flow, built by hand, and short ways to say what callers and the world do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.asr.protocol import Grammar
from engine.core.speech import ENGLISH, RUSSIAN, Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.dialogue.actions import Action, Play
from engine.dialogue.events import Answered, Event, Heard, PlayFinished, SpeechStarted
from engine.dialogue.graph import (
    Ask,
    Choice,
    End,
    FixedPrompts,
    Flow,
    Keypad,
    Menu,
    Node,
    NodeId,
    Prompt,
    Say,
    Service,
    SlotName,
    Transfer,
)
from engine.dialogue.machine import Dialogue, State
from engine.nlu.interpretation import Candidate, Interpretation


def prompt(id: str, text: str | None = None) -> Prompt:
    words = text or id.replace("_", " ")
    return Prompt(id, {ENGLISH: words, RUSSIAN: words})


FIXED = FixedPrompts(
    confirm=prompt("confirm", "Did you mean {title}?"),
    choose=prompt("choose", "{first}, or {second}?"),
    filler=(prompt("filler_1"), prompt("filler_2")),
    no_input=prompt("no_input"),
    no_match=prompt("no_match"),
    use_keys=prompt("use_keys"),
    to_operator=prompt("to_operator"),
    help=prompt("help"),
    read_back=prompt("read_back", "I heard {value}. Right?"),
    not_allowed=prompt("not_allowed"),
    host_failed=prompt("host_failed"),
    not_transferred=prompt("not_transferred"),
)


def node_id(name: str) -> NodeId:
    return NodeId(name)


def titled(name: str) -> dict[str, Any]:
    return {"id": NodeId(name), "prompts": (prompt(name),), "title": {ENGLISH: name.replace("_", " ")}}


def flow_of(*nodes: Node, start: str, **changes: Any) -> Flow:
    """A flow of these nodes and an operator; each node is an intent of its own name."""
    all_nodes: dict[NodeId, Node] = {node.id: node for node in (*nodes, Transfer(**titled("operator"), destination="people"))}
    intents = {str(name): name for name in all_nodes if name != "operator"}
    flow = Flow("test", "0" * 64, (ENGLISH, RUSSIAN), NodeId(start), all_nodes, intents, {}, NodeId("operator"), FIXED)
    return replace(flow, **changes)


def bank(**changes: Any) -> Flow:
    """Welcome → main menu → balance, cards, branches; blocking a card needs a PIN."""
    main = Menu(
        **titled("main"),
        choices=(
            Choice(NodeId("balance"), "1"),
            Choice(NodeId("cards"), "2"),
            Choice(NodeId("branch"), "3"),
            Choice(NodeId("goodbye")),
        ),
        reprompts=(prompt("main_again"), prompt("main_keys_spelled_out")),
        keys_prompt=prompt("main_keys"),
    )
    cards = Menu(
        **titled("cards"),
        choices=(Choice(NodeId("block_card"), "1"), Choice(NodeId("new_card"), "2")),
        keys_prompt=prompt("cards_keys"),
        open=False,
    )
    return flow_of(
        Say(**titled("welcome"), then=NodeId("main")),
        main,
        cards,
        Service(
            **titled("balance"),
            operation="balance",
            safe=True,
            outcomes={"ok": NodeId("say_balance"), "closed": NodeId("goodbye")},
            failed=NodeId("main"),
        ),
        Say(id=NodeId("say_balance"), prompts=(prompt("say_balance", "You have {amount:money}."),), then=NodeId("main")),
        Service(
            **titled("block_card"),
            operation="block_card",
            arguments=(SlotName("pin"), SlotName("branch_code")),
            requires_verified=True,
            outcomes={"ok": NodeId("goodbye")},
        ),
        Say(**titled("new_card"), then=NodeId("main")),
        Ask(
            **titled("branch"),
            slot=SlotName("branch_code"),
            type="digits",
            grammar=Grammar.DIGITS,
            length=(4, 4),
            then=NodeId("goodbye"),
        ),
        Keypad(**titled("pin"), slot=SlotName("pin"), length=(4, 6), then=NodeId("check_pin")),
        Service(
            id=NodeId("check_pin"),
            operation="check_pin",
            arguments=(SlotName("pin"),),
            sets_verified=True,
            outcomes={"ok": NodeId("thanks"), "wrong": NodeId("operator")},
        ),
        Say(**titled("thanks"), then=NodeId("main")),
        End(**titled("goodbye")),
        start="welcome",
        verify=NodeId("pin"),
        **changes,
    )


def words(text: str, confidence: float | None = 0.95, *, rejected: bool = False) -> Transcript:
    said = tuple(Word(word, Seconds(place * 0.3), Seconds(place * 0.3 + 0.3)) for place, word in enumerate(text.split()))
    return Transcript(said, confidence=None if confidence is None else Confidence(confidence), rejected=rejected)


def heard(text: str = "something", *, continues: bool = False, sure: float | None = 0.95, **meanings: float) -> Heard:
    """Words whose meanings have these probabilities."""
    candidates = tuple(Candidate(intent, Confidence(value)) for intent, value in meanings.items())
    return Heard(words(text, sure), Interpretation(candidates), continues=continues)


def heard_value(text: str, slots: Mapping[str, str], sure: float | None = 0.95) -> Heard:
    return Heard(words(text, sure), Interpretation(slots=slots))


def yes() -> Heard:
    return heard_value("yes", {"yes_no": "yes"})


def no() -> Heard:
    return heard_value("no", {"yes_no": "no"})


class Table:
    """A dialogue on the test bench: keeps the time and what was done."""

    def __init__(self, flow: Flow | None = None, *, agents: bool = False) -> None:
        self.dialogue = Dialogue(flow or bank(), agents=agents)
        self.now = 0.0
        self.done: list[Action] = []

    def feed(self, event: Event, after: float = 0.1) -> tuple[Action, ...]:
        self.now += after
        return self._keep(self.dialogue.receive(event, Seconds(self.now)))

    def wait(self, length: float | None = None) -> tuple[Action, ...]:
        """Let time pass, to the deadline by default."""
        deadline = self.dialogue.deadline
        self.now = self.now + length if length is not None else (self.now if deadline is None else max(self.now, deadline))
        return self._keep(self.dialogue.tick(Seconds(self.now)))

    def finish(self, after: float = 1.0) -> tuple[Action, ...]:
        """The caller hears the prompt to its end."""
        return self.feed(PlayFinished(self.last(Play).play), after)

    def say(self, event: Heard, length: float = 1.0) -> tuple[Action, ...]:
        """A voice begins, and its words come."""
        begun = self.feed(SpeechStarted(Seconds(self.now)))
        return begun + self.feed(event, length)

    def last(self, kind: type[Any]) -> Any:
        return next(action for action in reversed(self.done) if isinstance(action, kind))

    def every(self, kind: type[Any]) -> list[Any]:
        return [action for action in self.done if isinstance(action, kind)]

    @property
    def state(self) -> State:
        return self.dialogue.state

    @property
    def spoken(self) -> list[str]:
        """What the last play says, by prompt."""
        return prompts_of(self.last(Play))

    def _keep(self, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        self.done.extend(actions)
        return actions


def prompts_of(play: Play) -> list[str]:
    return [said.prompt for said in play.spoken]


def at_main_menu(flow: Flow | None = None, *, agents: bool = False) -> Table:
    """A call that has heard the welcome and is being listened to."""
    table = Table(flow, agents=agents)
    table.feed(Answered())
    table.finish()
    return table
