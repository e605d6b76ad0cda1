"""What holds for every flow, every caller and every order of events."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.errors import ProtocolError
from engine.core.units import Seconds
from engine.dialogue import actions as do
from engine.dialogue import events as on
from engine.dialogue.codec import to_json
from engine.dialogue.graph import Flow, Service
from engine.dialogue.machine import Dialogue, State
from engine.dialogue.memory import WAITING
from engine.dialogue.replay import replay
from tests.dialogue.strategies import Move, event_of, flows, journeys

LONGEST_SILENT_END = 1_000  # steps; a silent caller fails each question a few times, and circles are cut short

many = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class World:
    """Everything outside the machine, kept by its actions alone, and what must be true of it."""

    def __init__(self, flow: Flow, *, agents: bool) -> None:
        self.flow = flow
        self.dialogue = Dialogue(flow, agents=agents)
        self.now = 0.0
        self.steps: list[tuple[Seconds, on.Event | on.Tick]] = []
        self.done: list[tuple[do.Action, ...]] = []
        self.playing: int | None = None
        self.ear = False
        self.pad: do.CollectKeys | None = None
        self.task: int | None = None
        self.request: int | None = None
        self.play = self.tasks = self.requests = 0
        self.verified = False
        self.spoken_at = float("-inf")
        self.left = False

    def happens(self, event: on.Event | on.Tick, gap: float = 0.0) -> None:
        self.now += gap
        now = Seconds(self.now)
        before, refused = self._knowledge(), False
        try:
            actions = self.dialogue.tick(now) if isinstance(event, on.Tick) else self.dialogue.receive(event, now)
        except ProtocolError:
            refused = True
        if refused:
            assert self._knowledge() == before, "a refused event changes nothing"
            return
        self.steps.append((now, event))
        self.done.append(actions)
        self._note(event, actions)
        for action in actions:
            self._perform(action)
        self._check()

    def _knowledge(self) -> tuple[object, ...]:
        return (self.dialogue._memory, self.dialogue._line)

    def _note(self, event: on.Event | on.Tick, actions: tuple[do.Action, ...]) -> None:
        decided = any(isinstance(action, do.Decided) for action in actions)
        match event:
            case on.PlayFinished(play) if play == self.playing:
                self.playing = None
            case on.KeysCollected() | on.SecretCollected():
                if self.pad is not None and self.pad.secret == isinstance(event, on.SecretCollected):
                    self.pad = None
                self.spoken_at = float("-inf") if decided else self.spoken_at
            case on.KeyPressed() if decided:
                self.spoken_at = float("-inf")
            case on.Heard() if decided:
                self.spoken_at = self.now
            case on.AgentAnswered(task=task) if task == self.task:
                self.task = None
            case on.HostReplied(request, outcome) if request == self.request:
                node = self.flow.nodes[self.asked_at]
                self.verified |= isinstance(node, Service) and node.sets_verified and outcome == "ok"
                self.request = None
            case on.HostFailed(request) if request == self.request:
                self.request = None

    def _perform(self, action: do.Action) -> None:
        assert not self.left, "nothing is done after the end"
        match action:
            case do.Entered(node):
                assert self.verified or not self.flow.nodes[node].requires_verified
                self.entered = node
            case do.CallHost(request):
                self.requests = self.request = request
                self.asked_at = self.entered
                self._irrevocable()
            case do.TransferCall():
                self._irrevocable()
            case do.HangUp(reason):
                self.left = True
                assert reason == "not_transferred" or self.now >= self.spoken_at + self.flow.patience.take_back - 1e-9
            case do.AskAgent(task):
                self.tasks = self.task = task
            case do.WithdrawAgent(task):
                assert task == self.task
                self.task = None
            case _:
                self._perform_on_the_line(action)

    def _perform_on_the_line(self, action: do.Action) -> None:
        match action:
            case do.Play(play):
                assert play == self.play + 1
                self.play = self.playing = play
            case do.StopPlaying():
                assert self.playing is not None
                self.playing = None
            case do.Listen() | do.StopListening():
                assert self.ear or isinstance(action, do.Listen)
                self.ear = isinstance(action, do.Listen)
            case do.CollectKeys() | do.StopCollecting():
                self.pad = action if isinstance(action, do.CollectKeys) else None

    def _irrevocable(self) -> None:
        node = self.flow.nodes[self.entered]
        safe = isinstance(node, Service) and node.safe
        assert safe or self.now >= self.spoken_at + self.flow.patience.take_back - 1e-9

    def _check(self) -> None:
        state, dialogue = self.dialogue.state, self.dialogue
        self.request = self.request if state is State.CALLING else None
        assert (dialogue.deadline is not None) == (state in WAITING)
        if dialogue.deadline is not None and self.steps:
            assert dialogue.deadline >= self.steps[0][0]
        match state:
            case State.SPEAKING:
                assert self.playing is not None
            case State.PROMPTING:
                assert self.playing is not None
                assert self.ear or self.pad is not None
            case State.LISTENING | State.HEARING:
                assert self.ear
            case State.KEYING:
                assert self.pad is not None
                assert not self.ear
            case State.ASSISTING:
                assert self.task is not None
            case State.CALLING:
                assert self.request is not None
            case State.HANDING_OVER | State.ENDED:
                assert not self.ear
                assert self.pad is None
        assert (self.task is not None) == (state is State.ASSISTING)
        assert dialogue.verified == self.verified

    def goes_on(self, journey: list[Move]) -> None:
        for move in journey:
            self.happens(event_of(move, self.flow, self.dialogue.state, (self.play, self.tasks, self.requests)), move.gap)

    def falls_silent(self, *, host_answers: bool) -> None:
        """From here on the caller neither speaks nor keys; all else works as it should."""
        for _ in range(LONGEST_SILENT_END):
            if self.dialogue.state is State.ENDED:
                return
            if self.playing is not None:
                self.happens(on.PlayFinished(self.playing), 1.0)
            elif self.request is not None and host_answers:
                self.happens(on.HostReplied(self.request), 0.3)
            elif self.dialogue.state is State.HANDING_OVER and host_answers:
                self.happens(on.Transferred(), 5.0)
            elif self.dialogue.deadline is not None:
                self.happens(on.Tick(), max(0.0, self.dialogue.deadline - self.now))


@pytest.mark.parametrize("host_answers", [True, False])
@many
@given(flow=flows(), journey=journeys(), agents=st.booleans())
def test_whatever_happens_a_call_comes_to_an_end(flow: Flow, journey: list[Move], agents: bool, host_answers: bool) -> None:
    world = World(flow, agents=agents)
    world.happens(on.Answered())

    world.goes_on(journey)
    world.falls_silent(host_answers=host_answers)

    assert world.dialogue.state is State.ENDED
    assert world.left or any(isinstance(event, on.HungUp | on.Transferred) for _, event in world.steps)


@many
@given(flow=flows(), journey=journeys(), agents=st.booleans())
def test_the_same_events_give_the_same_bytes(flow: Flow, journey: list[Move], agents: bool) -> None:
    world = World(flow, agents=agents)
    world.happens(on.Answered())
    world.goes_on(journey)

    again = replay(flow, world.steps, agents=agents)

    assert [to_json(actions) for _, actions in again] == [to_json(actions) for actions in world.done]


@many
@given(flow=flows(), journey=journeys(longest=8))
def test_before_the_call_is_answered_nothing_can_happen(flow: Flow, journey: list[Move]) -> None:
    world = World(flow, agents=True)

    world.goes_on([move for move in journey if move.name not in {"answered", "hung_up", "due"}])

    assert world.dialogue.state is State.IDLE
    assert world.done == [()] * len(world.done)
