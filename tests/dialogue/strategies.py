"""Random flows and random journeys through them, for hypothesis.

A flow made here keeps what :class:`engine.dialogue.graph.Flow` promises about targets and prompts, but not that an end can be
reached: it may walk in circles, so the machine must get out of them by itself. A journey is a list of moves; a move says what happens
next in relation to what is going on (the end of this play, of the one before, of one that never was), so it fits any flow.

Both are made from one number each. That is some fifty times faster than drawing every field, and every number is another flow; a
failing journey still shrinks by its length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from hypothesis import strategies as st

from engine.core.speech import ENGLISH, RUSSIAN
from engine.core.units import Confidence, Seconds
from engine.dialogue import events as on
from engine.dialogue.graph import (
    Ask,
    Choice,
    End,
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
    Transfer,
)
from engine.dialogue.machine import State
from engine.nlu.interpretation import Candidate, Interpretation
from tests.dialogue.flows import FIXED, prompt, titled, words

_SEEDS = st.integers(0, 2**32 - 1)
_GAPS = (0.0, 0.1, 0.1, 0.7, 0.7, 1.5, 1.5, 6.0, 30.0)
_SURE = (0.1, 0.3, 0.5, 0.6, 0.79, 0.8, 0.85, 0.95)
_VALUES = {
    "digits": "1234",
    "amount": "12.50",
    "phone": "+79161234567",
    "date": "2026-11-21",
    "yes_no": "yes",
    "card_type": "visa",
}


@dataclass(frozen=True)
class Move:
    """What happens next, and how long after the last."""

    name: str
    gap: float
    pick: int
    """Which intent, key, value: taken modulo how many there are."""
    back: int
    """How far behind the present number; negative = a number that was never given."""
    sure: float
    second: float
    flag: bool


def flows() -> st.SearchStrategy[Flow]:
    """A flow of up to seven nodes beside the operator, the end and the way of verifying."""
    return st.builds(lambda seed: flow_from(Random(seed)), _SEEDS)


def journeys(longest: int = 60) -> st.SearchStrategy[list[Move]]:
    """What happens on a call: mostly what is due, and also late, doubled and impossible things."""
    return st.builds(lambda seed, length: moves_from(Random(seed), length), _SEEDS, st.integers(0, longest))


def moves_from(luck: Random, length: int) -> list[Move]:
    """Make ``length`` moves."""
    return [_move(luck) for _ in range(length)]


def event_of(move: Move, flow: Flow, state: State, numbers: tuple[int, int, int]) -> on.Event | on.Tick:
    """What ``move`` means now; ``numbers`` are those of the last play, task and request."""
    names = _DUE[state] if move.name == "due" else (move.name,)
    return _MAKERS[names[move.pick % len(names)]](move, flow, numbers)


def flow_from(luck: Random) -> Flow:
    """Make a flow."""
    names = [NodeId(f"node_{place}") for place in range(luck.randint(1, 7))]
    places = [*names, *names, NodeId("operator"), NodeId("bye"), NodeId("pin")]
    nodes: list[Node] = [_node(luck, name, places, guarded=place > 0 and luck.random() < 0.4) for place, name in enumerate(names)]
    nodes += [
        Keypad(
            **titled("pin"),
            slot=SlotName("pin"),
            length=(4, 6),
            then=NodeId("check"),
            otherwise=luck.choice([None, luck.choice(places)]),
        ),
        Service(
            **titled("check"),
            operation="check",
            sets_verified=True,
            outcomes={"ok": luck.choice(places), "wrong": luck.choice(places)},
        ),
        Transfer(**titled("operator"), destination="people", failed=luck.choice([None, luck.choice(places)])),
        End(**titled("bye")),
    ]
    return Flow(
        name="random",
        revision="0" * 64,
        languages=(ENGLISH, RUSSIAN),
        start=names[0],
        nodes={node.id: node for node in nodes},
        intents={f"want_{name}": name for name in names},
        examples={},
        operator=NodeId("operator"),
        fixed=luck.choice([FIXED, FIXED, replace(FIXED, filler=())]),
        verify=luck.choice([None, NodeId("pin"), NodeId("pin")]),
        patience=Patience(tries=luck.choice([1, 2, 2, 3])),
    )


def _node(luck: Random, name: NodeId, places: Sequence[NodeId], *, guarded: bool) -> Node:
    base: dict[str, Any] = {
        "id": name,
        "prompts": luck.choice([(), (prompt(name),), (prompt(name), prompt(f"{name}_more", "You have {slot_1}."))]),
        "title": {ENGLISH: str(name)},
        "requires_verified": guarded,
        "barge_in": luck.random() < 0.7,
    }
    return luck.choice([_menu, _menu, _menu, _ask, _ask, _keypad, _say, _service])(luck, base, places)


def _menu(luck: Random, base: dict[str, Any], places: Sequence[NodeId]) -> Node:
    keys = luck.choice(["", "1", "123", "1*0", "1239#"])
    choices = [Choice(luck.choice(places), key, luck.choice([None, None, "own_intent"])) for key in keys]
    speech_only = [Choice(luck.choice(places)) for _ in range(luck.randint(0, 2))]
    return Menu(
        **base, choices=(*choices, *speech_only), reprompts=_reprompts(luck), keys_prompt=_keys(luck), open=luck.random() < 0.7
    )


def _ask(luck: Random, base: dict[str, Any], places: Sequence[NodeId]) -> Node:
    return Ask(
        **base,
        slot=luck.choice([SlotName("slot_1"), SlotName("slot_2")]),
        type=luck.choice(list(_VALUES)),
        length=luck.choice([None, (4, 4), (5, 9)]),
        read_back=luck.choice([None, True, False]),
        reprompts=_reprompts(luck),
        keys_prompt=_keys(luck),
        then=luck.choice(places),
    )


def _keypad(luck: Random, base: dict[str, Any], places: Sequence[NodeId]) -> Node:
    return Keypad(
        **base,
        slot=SlotName(f"pad_{base['id']}"),
        secret=luck.random() < 0.5,
        luhn=luck.random() < 0.3,
        reprompts=_reprompts(luck),
        then=luck.choice(places),
        otherwise=luck.choice([None, luck.choice(places)]),
    )


def _say(luck: Random, base: dict[str, Any], places: Sequence[NodeId]) -> Node:
    return Say(**base, then=luck.choice(places))


def _service(luck: Random, base: dict[str, Any], places: Sequence[NodeId]) -> Node:
    return Service(
        **base,
        operation="something",
        arguments=(SlotName("slot_1"),),
        outcomes={"ok": luck.choice(places), "other": luck.choice(places)},
        failed=luck.choice([None, luck.choice(places)]),
        safe=luck.random() < 0.5,
    )


def _reprompts(luck: Random) -> tuple[Prompt, ...]:
    return luck.choice([(), (prompt("again"),), (prompt("again"), prompt("once_more"))])


def _keys(luck: Random) -> Prompt | None:
    return luck.choice([None, prompt("keys")])


def _move(luck: Random) -> Move:
    due = luck.random() < 0.75
    return Move(
        name="due" if due else luck.choice([name for name in _MAKERS if name != "hung_up" or luck.random() < 0.2]),
        gap=luck.choice(_GAPS),
        pick=luck.randrange(120),
        back=0 if due else luck.choice((0, 0, 0, 1, 2, -1)),
        sure=luck.choice(_SURE),
        second=luck.choice((0.02, 0.02, 0.4, 0.9)),
        flag=luck.random() < 0.5,
    )


def _intent(move: Move, flow: Flow, step: int = 1) -> str:
    intents = [*flow.intents, *flow.intents, *flow.nodes, *map(str, Global), "own_intent", "nothing_known"]
    return intents[move.pick * step % len(intents)]


def _heard(move: Move, flow: Flow) -> on.Heard:
    likely = Candidate(_intent(move, flow), Confidence(move.sure))
    other = Candidate(_intent(move, flow, 7), Confidence(move.sure * move.second))
    value = list(_VALUES)[move.pick % len(_VALUES)]
    slots = {value: _VALUES[value], "yes_no": "yes" if move.flag else "no"} if move.pick % 2 else {}
    out_of_scope = Confidence(0.9) if move.pick % 23 == 10 else None
    said = words(
        ("one two", "the second", "hello")[move.pick % 3], move.sure if move.pick % 5 else None, rejected=move.pick % 29 == 12
    )
    return on.Heard(
        said, Interpretation((likely, other), slots, out_of_scope=out_of_scope), continues=move.flag and move.pick % 4 < 2
    )


def _agent(move: Move, flow: Flow, task: int) -> on.AgentAnswered:
    verdict = list(on.AgentVerdict)[move.pick // 4 % 4]
    meaning = Interpretation((Candidate(_intent(move, flow), Confidence(move.sure)),), {"digits": "1234"} if move.flag else {})
    return on.AgentAnswered(task - move.back, verdict, _intent(move, flow, 7), "1234", "words", meaning)


def _replied(move: Move, request: int) -> on.HostReplied:
    outcome = ("ok", "ok", "ok", "wrong", "other", "unknown")[move.pick % 6]
    return on.HostReplied(request - move.back, outcome, {"slot_1": "value"} if move.flag else {})


_DUE: dict[State, tuple[str, ...]] = {
    State.IDLE: ("answered",),
    State.OPENING: ("heard", "tick", "speech_started", "heard_nothing"),
    State.SPEAKING: ("play_finished", "play_finished", "play_finished", "speech_started"),
    State.PROMPTING: ("play_finished", "speech_started", "keys_collected", "secret_collected"),
    State.LISTENING: ("speech_started", "speech_started", "heard", "key_pressed", "tick"),
    State.HEARING: ("heard", "heard", "heard", "heard", "heard_nothing"),
    State.ASSISTING: ("agent_answered", "agent_answered", "play_finished", "tick"),
    State.KEYING: ("secret_collected", "keys_collected"),
    State.HOLDING: ("tick", "speech_started"),
    State.CALLING: ("host_replied", "host_replied", "host_failed"),
    State.HANDING_OVER: ("transferred", "not_transferred"),
    State.ENDED: ("tick",),
}
"""What usually comes next."""

_MAKERS: dict[str, Callable[[Move, Flow, tuple[int, int, int]], on.Event | on.Tick]] = {
    "answered": lambda _, __, ___: on.Answered(),
    "play_finished": lambda move, _, numbers: on.PlayFinished(numbers[0] - move.back),
    "speech_started": lambda move, _, __: on.SpeechStarted(Seconds(move.gap)),
    "heard": lambda move, flow, _: _heard(move, flow),
    "heard_nothing": lambda _, __, ___: on.HeardNothing(),
    "recogniser_failed": lambda _, __, ___: on.RecogniserFailed(),
    "key_pressed": lambda move, _, __: on.KeyPressed("0123456789*#"[move.pick % 12]),
    "keys_collected": lambda move, _, __: on.KeysCollected(["", "1234", "77", "18"][move.pick % 4]),
    "secret_collected": lambda move, _, __: on.SecretCollected([0, 4, 4][move.pick % 3], valid=move.flag or move.pick % 5 > 0),
    "agent_answered": lambda move, flow, numbers: _agent(move, flow, numbers[1]),
    "host_replied": lambda move, _, numbers: _replied(move, numbers[2]),
    "host_failed": lambda move, _, numbers: on.HostFailed(numbers[2] - move.back),
    "transferred": lambda _, __, ___: on.Transferred(),
    "not_transferred": lambda _, __, ___: on.NotTransferred(),
    "hung_up": lambda _, __, ___: on.HungUp(),
    "tick": lambda _, __, ___: on.Tick(),
}
