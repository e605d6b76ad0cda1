"""What speech alone may do: over random flows, callers, agents and accidents, nobody gets past ``requires_verified``."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.errors import ConfigError, ProtocolError
from engine.core.units import Seconds
from engine.dialogue import actions as do
from engine.dialogue import events as on
from engine.dialogue.graph import End, Flow, Menu, Node, NodeId, Service, Transfer
from engine.dialogue.machine import Dialogue, State
from engine.dialogue.scope import check_scope, open_operations
from tests.dialogue.flows import bank, flow_of, prompt, titled
from tests.dialogue.strategies import Move, event_of, flow_from, flows, journeys, moves_from

many = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def guarded(flow: Flow, seed: int) -> Flow:
    """The flow with good-byes and transfers that need a verified call too, and every node's doings under its own name."""
    luck = Random(seed)
    more: list[Node] = [
        End(**titled("locked_end"), requires_verified=True),
        Transfer(**titled("locked_people"), requires_verified=True, destination="x", failed=luck.choice(list(flow.nodes))),
    ]
    nodes = {node.id: _named(node) for node in (*flow.nodes.values(), *more)}
    menus = [node for node in nodes.values() if isinstance(node, Menu) and node.choices]
    for menu in menus:
        aims = [replace(it, target=luck.choice([it.target, more[0].id, more[1].id])) for it in menu.choices]
        nodes[menu.id] = replace(menu, choices=tuple(aims))
    wishes = {**flow.intents, "want_end": more[0].id, "want_people": more[1].id}
    return replace(flow, nodes=nodes, intents=wishes)


def _named(node: Node) -> Node:
    own = tuple(prompt(f"{node.id}/{place}") for place, _ in enumerate(node.prompts))
    if isinstance(node, Service):
        return replace(node, prompts=own, operation=str(node.id))
    if isinstance(node, Transfer):
        return replace(node, prompts=own, destination=str(node.id))
    return replace(node, prompts=own)


class Outsider:
    """Somebody who does whatever comes to mind, and whom the bank's host never takes for a customer."""

    def __init__(self, flow: Flow, *, agents: bool) -> None:
        self.flow = flow
        self.dialogue = Dialogue(flow, agents=agents)
        self.now = 0.0
        self.done: list[do.Action] = []
        self.numbers = [0, 0, 0]

    def happens(self, event: on.Event | on.Tick, gap: float = 0.0) -> None:
        self.now += gap
        now = Seconds(self.now)
        node = self.flow.nodes.get(self.dialogue.node or NodeId(""))
        if isinstance(event, on.HostReplied) and isinstance(node, Service) and node.sets_verified and event.outcome == "ok":
            event = replace(event, outcome="wrong")
        try:
            actions = self.dialogue.tick(now) if isinstance(event, on.Tick) else self.dialogue.receive(event, now)
        except ProtocolError:
            return
        self.done += actions
        for action in actions:
            self._note(action)

    def lives(self, journey: list[Move]) -> None:
        self.happens(on.Answered())
        for move in journey:
            play, task, request = self.numbers
            self.happens(event_of(move, self.flow, self.dialogue.state, (play, task, request)), move.gap)

    def _note(self, action: do.Action) -> None:
        match action:
            case do.Play(play):
                self.numbers[0] = play
            case do.AskAgent(task):
                self.numbers[1] = task
            case do.CallHost(request):
                self.numbers[2] = request


def closed_places(flow: Flow) -> set[str]:
    return {str(node.id) for node in flow.nodes.values() if node.requires_verified}


@many
@given(flow=flows(), seed=st.integers(0, 2**16), journey=journeys(), agents=st.booleans())
def test_nothing_of_a_closed_node_is_entered_said_asked_of_the_bank_or_rung(
    flow: Flow, seed: int, journey: list[Move], agents: bool
) -> None:
    flow = guarded(flow, seed)
    closed = closed_places(flow)
    outsider = Outsider(flow, agents=agents)
    outsider.lives(journey)

    assert not outsider.dialogue.verified
    for action in outsider.done:
        match action:
            case do.Entered(node) | do.CallHost(operation=node) | do.TransferCall(destination=node):
                assert str(node) not in closed, action
                assert not isinstance(action, do.TransferCall) or action.context["verified"] == "no"
            case do.Play(spoken=spoken):
                assert not {words.prompt.partition("/")[0] for words in spoken} & closed, action
            case do.Listen(node=node) | do.AskAgent(node=node):
                assert str(node) not in closed, action


@many
@given(flow=flows(), seed=st.integers(0, 2**16), journey=journeys(), agents=st.booleans())
def test_the_bank_is_asked_for_what_is_on_the_list_and_nothing_else(
    flow: Flow, seed: int, journey: list[Move], agents: bool
) -> None:
    flow = guarded(flow, seed)
    allowed = open_operations(flow)
    outsider = Outsider(flow, agents=agents)
    outsider.lives(journey)

    check_scope(flow, allowed)
    assert {action.operation for action in outsider.done if isinstance(action, do.CallHost)} <= allowed


def test_the_property_can_fail() -> None:
    """The same outsider gets in where the gate is open: random journeys do come to closed nodes' doors."""
    luck = Random(3)
    entered = 0
    for _ in range(60):
        flow = guarded(flow_from(luck), luck.randrange(2**16))
        closed = closed_places(flow)
        unlocked = replace(flow, nodes={name: replace(node, requires_verified=False) for name, node in flow.nodes.items()})
        outsider = Outsider(unlocked, agents=True)
        outsider.lives(moves_from(luck, 60))
        entered += any(isinstance(it, do.Entered) and str(it.node) in closed for it in outsider.done)

    assert entered > 5


def test_a_flow_that_goes_beyond_the_banks_list_is_refused_and_told_what() -> None:
    flow = bank()
    listed = open_operations(flow)
    check_scope(flow, listed)
    check_scope(flow, None)

    assert "balance" in listed
    assert "block_card" not in listed
    with pytest.raises(ConfigError, match="found balance open to callers whom nobody has verified"):
        check_scope(flow, listed - {"balance"})


def test_a_call_that_is_over_opens_nothing() -> None:
    locked = End(**titled("locked"), requires_verified=True)
    outsider = Outsider(flow_of(Menu(**titled("main")), locked, start="main"), agents=True)
    outsider.happens(on.Answered())
    outsider.happens(on.HungUp())
    outsider.happens(on.KeyPressed("1"))

    assert outsider.dialogue.state is State.ENDED
    assert do.Entered(locked.id) not in outsider.done
