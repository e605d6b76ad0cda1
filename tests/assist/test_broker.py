"""Who gets a task, whose answer counts, and what becomes of those who are late."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.assist.broker import (
    Acknowledge,
    Action,
    Answered,
    Asked,
    Broker,
    BrokerPolicy,
    Event,
    Label,
    Lay,
    Present,
    Settle,
    Shown,
    SignedIn,
    SignedOut,
    Take,
    Withdrawn,
)
from engine.assist.tasks import AgentId, CantTell, Choice, Picked, Receipt, Settled, Task, TaskId, Typed, Value
from engine.core.call import CallId
from engine.core.errors import ProtocolError
from engine.core.speech import ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.dialogue.graph import NodeId

ANN, BOB, IVAN = AgentId("ann"), AgentId("bob"), AgentId("ivan")
POLICY = BrokerPolicy()


def task(name: str = "call", number: int = 1, at: float = 0.0, within: float = 6.0, language: Language = ENGLISH) -> Task:
    choices = (Choice("block_card", "block a card"), Choice("balance", "hear the balance"))
    return Task(TaskId(CallId(name), number), language, "0" * 64, NodeId("main"), "?", "blah", choices, None, (), at, at + within)


class Bench:
    """A broker with a clock."""

    def __init__(self, *agents: AgentId) -> None:
        self.broker = Broker()
        self.now = 0.0
        for agent in agents:
            self.feed(SignedIn(agent, frozenset({RUSSIAN if agent == IVAN else ENGLISH})))

    def feed(self, event: Event, after: float = 0.0) -> tuple[Action, ...]:
        self.now += after
        return self.broker.receive(event, self.now)

    def wait(self, length: float) -> list[Action]:
        """Let time pass, with desks that say they are there."""
        done: list[Action] = []
        end = self.now + length
        while (due := self.broker.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            for desk in self.broker.desks.values():
                desk.seen_at = self.now
            done += self.broker.tick(self.now)
        self.now = end
        return done


def test_a_task_goes_to_the_free_agent_of_its_language() -> None:
    bench = Bench(ANN, IVAN)

    assert bench.feed(Asked(task(language=RUSSIAN))) == (Lay(IVAN, task(language=RUSSIAN)),)


def test_where_nobody_speaks_the_language_the_call_hears_so_at_once() -> None:
    bench = Bench(IVAN)

    assert bench.feed(Asked(task())) == (Settle(task().id, Settled.NOBODY),)


def test_the_agent_who_has_been_idle_for_longest_is_next() -> None:
    bench = Bench(ANN, BOB)
    bench.feed(Asked(task("one")), after=0.5)
    bench.feed(Answered(ANN, task("one").id, Picked("balance")), after=0.5)

    assert bench.feed(Asked(task("two", at=1.0))) == (Lay(BOB, task("two", at=1.0)),)


def test_an_agent_holds_one_task_and_the_one_with_the_least_time_left_comes_next() -> None:
    bench = Bench(ANN)
    bench.feed(Asked(task("held", within=9.0)))
    bench.feed(Shown(ANN, task("held", within=9.0).id))
    assert bench.feed(Asked(task("patient", within=8.0))) == ()
    assert bench.feed(Asked(task("urgent", within=5.0))) == ()

    done = bench.feed(Answered(ANN, task("held").id, Picked("balance")), after=1.0)

    assert done[-1] == Lay(ANN, task("urgent", within=5.0))


def test_an_answer_is_told_to_the_call_kept_as_a_label_and_acknowledged() -> None:
    bench = Bench(ANN)
    bench.feed(Asked(task()))
    bench.feed(Shown(ANN, task().id), after=0.2)
    done = bench.feed(Answered(ANN, task().id, Picked("block_card")), after=1.0)

    assert done == (
        Label(task(), ANN, Picked("block_card"), late=False),
        Take(ANN, task().id, Settled.ANSWERED),
        Settle(task().id, Settled.ANSWERED, Picked("block_card"), ANN),
        Acknowledge(ANN, task().id, Receipt.TAKEN),
    )


def test_a_desk_that_does_not_show_its_task_loses_it_to_another() -> None:
    bench = Bench(ANN, BOB)
    bench.feed(Asked(task()))

    assert bench.wait(1.1) == [Take(ANN, task().id), Lay(BOB, task())]


def test_who_lost_a_task_may_still_be_the_first_to_answer() -> None:
    bench = Bench(ANN, BOB)
    bench.feed(Asked(task()))
    bench.wait(1.1)
    done = bench.feed(Answered(ANN, task().id, Picked("balance")))

    assert Take(BOB, task().id, Settled.ANSWERED) in done
    assert done[-1] == Acknowledge(ANN, task().id, Receipt.TAKEN)
    assert bench.feed(Answered(BOB, task().id, Picked("block_card")))[-1] == Acknowledge(BOB, task().id, Receipt.LATE)


def test_a_desk_that_falls_silent_is_gone_and_its_task_goes_on() -> None:
    bench = Bench(ANN, BOB)
    bench.feed(Asked(task()))
    bench.feed(Shown(ANN, task().id))
    bench.feed(Present(BOB), after=2.9)

    assert bench.broker.tick(3.0) == (Take(ANN, task().id), Lay(BOB, task()))
    assert ANN not in bench.broker.desks


def test_an_agent_who_signs_out_leaves_the_task_to_the_others() -> None:
    bench = Bench(ANN, BOB)
    bench.feed(Asked(task()))

    assert bench.feed(SignedOut(ANN)) == (Take(ANN, task().id), Lay(BOB, task()))


def test_a_task_that_waits_too_long_is_given_up_while_the_call_can_still_use_the_time() -> None:
    bench = Bench(ANN)
    bench.feed(Asked(task("held", within=30.0)))
    bench.feed(Shown(ANN, task("held").id))
    bench.feed(Asked(task("waits", within=6.0)))

    assert bench.wait(4.4) == []
    assert bench.wait(0.2) == [Settle(task("waits").id, Settled.NOBODY)]


def test_an_answer_after_the_deadline_is_a_label_and_no_more() -> None:
    bench = Bench(ANN)
    bench.feed(Asked(task()))
    bench.feed(Shown(ANN, task().id))
    done = bench.wait(6.0)
    assert done == [Take(ANN, task().id, Settled.EXPIRED), Settle(task().id, Settled.EXPIRED)]

    assert bench.feed(Answered(ANN, task().id, Typed("my card is gone"))) == (
        Label(task(), ANN, Typed("my card is gone"), late=True),
        Acknowledge(ANN, task().id, Receipt.LATE),
    )


def test_a_call_that_has_gone_on_takes_its_task_off_the_desk() -> None:
    bench = Bench(ANN)
    bench.feed(Asked(task()))

    assert bench.feed(Withdrawn(task().id)) == (
        Take(ANN, task().id, Settled.WITHDRAWN),
        Settle(task().id, Settled.WITHDRAWN),
    )
    assert bench.feed(Withdrawn(task().id)) == ()


def test_who_never_had_the_task_is_not_heard() -> None:
    bench = Bench(ANN, BOB)
    bench.feed(Asked(task()))

    assert bench.feed(Answered(BOB, task().id, CantTell())) == (Acknowledge(BOB, task().id, Receipt.NOT_YOURS),)
    assert bench.feed(Answered(ANN, TaskId(CallId("none"), 1), CantTell())) == (
        Acknowledge(ANN, TaskId(CallId("none"), 1), Receipt.NOT_YOURS),
    )


def test_an_answer_that_the_question_does_not_allow_is_refused_and_changes_nothing() -> None:
    bench = Bench(ANN)
    bench.feed(Asked(task()))

    with pytest.raises(ProtocolError, match="expected one of the task's choices"):
        bench.feed(Answered(ANN, task().id, Picked("send_money_to_me")))
    with pytest.raises(ProtocolError, match="found a value"):
        bench.feed(Answered(ANN, task().id, Value("4111")))
    assert bench.feed(Answered(ANN, task().id, CantTell()))[-1] == Acknowledge(ANN, task().id, Receipt.TAKEN)


def test_a_task_is_asked_once() -> None:
    bench = Bench(ANN)
    bench.feed(Asked(task()))

    with pytest.raises(ProtocolError, match="expected a new task"):
        bench.feed(Asked(replace(task(), words="again")))


AGENTS = st.sampled_from([ANN, BOB, IVAN])


class Traffic(RuleBasedStateMachine):
    """Calls ask, agents come, go, answer and fall silent, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.broker = Broker()
        self.now = 0.0
        self.asked: list[Task] = []
        self.on: dict[AgentId, TaskId] = {}
        self.settled: dict[TaskId, Settled] = {}
        self.taken: list[TaskId] = []
        self.labels = 0
        self.answers = 0

    def feed(self, event: Event) -> None:
        self.note(self.broker.receive(event, self.now))

    def note(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            match action:
                case Lay(agent, given):
                    assert agent not in self.on, "one task at a desk"
                    assert given.id not in self.on.values(), "one desk for a task"
                    assert given.language in self.broker.desks[agent].languages
                    self.on[agent] = given.id
                case Take(agent, name):
                    assert self.on.pop(agent) == name
                case Settle(name, how):
                    assert name not in self.settled, "settled once"
                    self.settled[name] = how
                case Acknowledge(_, name, Receipt.TAKEN):
                    assert self.settled[name] is Settled.ANSWERED
                    self.taken.append(name)
                case Label():
                    self.labels += 1

    @rule(within=st.sampled_from([0.5, 3.0, 6.0]), language=st.sampled_from([ENGLISH, RUSSIAN]))
    def ask(self, within: float, language: Language) -> None:
        new = task(f"call {len(self.asked)}", at=self.now, within=within, language=language)
        self.asked.append(new)
        self.feed(Asked(new))

    @rule(agent=AGENTS, both=st.booleans())
    def sign_in(self, agent: AgentId, both: bool) -> None:
        own = RUSSIAN if agent == IVAN else ENGLISH
        self.feed(SignedIn(agent, frozenset({ENGLISH, RUSSIAN} if both else {own, *self.spoken(agent)})))

    def spoken(self, agent: AgentId) -> frozenset[Language]:
        return frozenset(self.broker.desks[agent].languages) if agent in self.broker.desks else frozenset()

    @rule(agent=AGENTS)
    def sign_out(self, agent: AgentId) -> None:
        self.feed(SignedOut(agent))

    @rule(agent=AGENTS)
    def show(self, agent: AgentId) -> None:
        if agent in self.on:
            self.feed(Shown(agent, self.on[agent]))

    @precondition(lambda self: self.asked)
    @rule(agent=AGENTS, which=st.integers(0, 5), answer=st.sampled_from([Picked("balance"), CantTell(), Typed("words")]))
    def answer(self, agent: AgentId, which: int, answer: Picked | CantTell | Typed) -> None:
        name = self.on.get(agent) or self.asked[-1 - which % len(self.asked)].id
        self.feed(Answered(agent, name, answer))

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 5))
    def withdraw(self, which: int) -> None:
        self.feed(Withdrawn(self.asked[-1 - which % len(self.asked)].id))

    @rule(length=st.sampled_from([0.01, 0.5, 1.0, 2.0, 4.0]), alive=st.sets(AGENTS))
    def pass_time(self, length: float, alive: set[AgentId]) -> None:
        end = self.now + length
        while (due := self.broker.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            for agent in alive:
                self.feed(Present(agent))
            self.note(self.broker.tick(self.now))
        self.now = end

    @invariant()
    def nothing_is_overdue_or_lost(self) -> None:
        assert self.broker.deadline is None or self.broker.deadline >= self.now - 1e-9
        assert len(set(self.taken)) == len(self.taken), "one answer counts"
        for one in self.asked:
            assert one.id in self.settled or one.id in self.broker.tasks
            assert one.id in self.settled or one.deadline > self.now

    def teardown(self) -> None:
        self.pass_time(POLICY.memory + 10.0, set())

        assert {one.id for one in self.asked} == set(self.settled), "every call hears how its task ended"
        assert not self.on
        assert not self.broker.tasks, "nothing is remembered for ever"


Traffic.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_whatever_happens_every_task_is_settled_once_and_lies_with_one_agent = Traffic.TestCase
