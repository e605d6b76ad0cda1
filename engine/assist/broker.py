"""Who gets which task, and whose answer counts: a pure machine. Event and time go in, actions come out.

Rules:

1. A task lies with one agent at a time, and an agent holds one task at a time. Of those that wait, the one with the least time
   left goes first, to the agent of its language who has been idle for longest.
2. A desk must show a task within ``lease``; one that does not loses it to somebody else, and does not get it again. A desk that
   says nothing for ``silence`` is gone.
3. A task that nobody can answer in time is settled at once as ``NOBODY``, so that the call takes the next rung: when no desk of
   its language is left that could, or when less than ``shortest`` is left.
4. Everybody with whom a task ever lay may answer it. The first answer counts, also of one who lost the lease; any other is late,
   and a label. So is every answer after the call has gone on. Who never had it is refused.
5. Every task is settled exactly once. A settled one is remembered for ``memory``, for the late ones.

====================  =======================  ============================  ==========================
event                 task waits               task lies with somebody       task is settled, or unknown
====================  =======================  ============================  ==========================
Asked                 refused: a bug           refused: a bug                new: waits; known: refused
Withdrawn             settled                  settled, taken back           nothing
Shown                 nothing: it was lost     by its holder: leased on      nothing
Answered              by one who lost it: ok   by one who had it: ok         by one who had it: late
deadline              settled: expired         settled: expired, taken back  forgotten after ``memory``
====================  =======================  ============================  ==========================
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from engine.assist.tasks import AgentId, Answer, Picked, Receipt, Settled, Task, TaskId, Value
from engine.core.errors import ProtocolError
from engine.core.units import Language, Seconds


@dataclass(frozen=True, slots=True)
class BrokerPolicy:
    """How long it waits."""

    lease: Seconds = Seconds(1.0)
    """In which a desk must show what was laid on it."""

    silence: Seconds = Seconds(3.0)
    """After which a desk is gone."""

    shortest: Seconds = Seconds(1.5)
    """In which nobody can hear a phrase and answer."""

    memory: Seconds = Seconds(60.0)
    """How long an answer may be late and still be kept."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call is unsure."""

    task: Task


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The call has gone on."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An agent is at a desk, or has changed languages."""

    agent: AgentId
    languages: frozenset[Language]


@dataclass(frozen=True, slots=True)
class SignedOut:
    """An agent leaves."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class Present:
    """A desk is alive."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class Shown:
    """A desk shows the task."""

    agent: AgentId
    task: TaskId


@dataclass(frozen=True, slots=True)
class Answered:
    """An agent has answered."""

    agent: AgentId
    task: TaskId
    answer: Answer


Event: TypeAlias = Asked | Withdrawn | SignedIn | SignedOut | Present | Shown | Answered


@dataclass(frozen=True, slots=True)
class Lay:
    """Put a task on a desk."""

    agent: AgentId
    task: Task


@dataclass(frozen=True, slots=True)
class Take:
    """Take it off again."""

    agent: AgentId
    task: TaskId

    why: Settled | None = None
    """``None``: it goes to somebody else."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Tell the call."""

    task: TaskId
    settled: Settled
    answer: Answer | None = None
    agent: AgentId | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """Keep what a person made of a phrase."""

    task: Task
    agent: AgentId
    answer: Answer
    late: bool


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Tell the agent what became of the answer."""

    agent: AgentId
    task: TaskId
    receipt: Receipt


Action: TypeAlias = Lay | Take | Settle | Label | Acknowledge


@dataclass(slots=True)
class Open:
    """What is known of a task."""

    task: Task

    holder: AgentId | None = None

    lease_until: float = 0.0

    had_by: set[AgentId] = field(default_factory=set)
    """Everybody it ever lay with."""

    settled: Settled | None = None

    over_at: float = 0.0

    answer: Answer | None = None
    """The one that counted, and whose it was."""

    answered_by: AgentId | None = None


@dataclass(slots=True)
class Desk:
    """What is known of an agent."""

    languages: Collection[Language]
    seen_at: float
    idle_since: float


class Broker:
    """The machine. ``tasks`` and ``desks`` are what it knows; a store may keep them and give them back."""

    def __init__(
        self,
        policy: BrokerPolicy = BrokerPolicy(),
        tasks: Mapping[TaskId, Open] | None = None,
        desks: Mapping[AgentId, Desk] | None = None,
    ) -> None:
        self.policy = policy
        self.tasks: dict[TaskId, Open] = dict(tasks or {})
        self.desks: dict[AgentId, Desk] = dict(desks or {})

    @property
    def deadline(self) -> float | None:
        """Call :meth:`tick` then, if nothing happens before; seconds since the epoch."""
        return min(self._deadlines(), default=None)

    def receive(self, event: Event, now: float) -> tuple[Action, ...]:
        """Take an event in; return what to do, in order.

        Raises:
            ProtocolError: a task was asked twice, or an answer is none that the task allows; nothing has changed.
        """
        if isinstance(event, Asked) and event.task.id in self.tasks:
            raise ProtocolError(f"expected a new task, found {event.task.id} once more")
        if isinstance(event, Answered):
            self._check(event)
        return (*self._taken_in(event, now), *self.tick(now))

    def tick(self, now: float) -> tuple[Action, ...]:
        """Do what time demands."""
        return (*self._gone(now), *self._overdue(now), *self._dealt(now), *self._hopeless(now))

    def _taken_in(self, event: Event, now: float) -> Iterator[Action]:
        match event:
            case Asked(task):
                self.tasks[task.id] = Open(task)
            case Withdrawn(task_id):
                yield from self._settled(task_id, Settled.WITHDRAWN, now)
            case SignedIn(agent, languages):
                desk = self.desks.setdefault(agent, Desk(languages, now, now))
                desk.languages, desk.seen_at = languages, now
            case SignedOut(agent):
                yield from self._left(agent)
            case Present(agent):
                if agent in self.desks:
                    self.desks[agent].seen_at = now
            case Shown(agent, task_id):
                self._shown(agent, task_id)
            case Answered():
                yield from self._answered(event, now)

    def _shown(self, agent: AgentId, task_id: TaskId) -> None:
        found = self.tasks.get(task_id)
        if found is not None and found.holder == agent:
            found.lease_until = found.task.deadline

    def _answered(self, event: Answered, now: float) -> Iterator[Action]:
        found = self.tasks.get(event.task)
        if found is None or event.agent not in found.had_by:
            yield Acknowledge(event.agent, event.task, Receipt.NOT_YOURS)
            return
        late = found.settled is not None
        yield Label(found.task, event.agent, event.answer, late)
        if not late:
            yield from self._settled(event.task, Settled.ANSWERED, now, event)
        found.had_by.discard(event.agent)  # one answer each
        yield Acknowledge(event.agent, event.task, Receipt.LATE if late else Receipt.TAKEN)

    def _settled(self, task_id: TaskId, settled: Settled, now: float, by: Answered | None = None) -> Iterator[Action]:
        found = self.tasks.get(task_id)
        if found is None or found.settled is not None:
            return
        found.settled, found.over_at = settled, now
        found.answer, found.answered_by = (by.answer, by.agent) if by else (None, None)
        if found.holder is not None:
            yield Take(found.holder, task_id, settled)
            self._free(found, now)
        yield Settle(task_id, settled, found.answer, found.answered_by)

    def _free(self, found: Open, now: float) -> None:
        if found.holder in self.desks:
            self.desks[found.holder].idle_since = now
        found.holder = None

    def _left(self, agent: AgentId) -> Iterator[Action]:
        self.desks.pop(agent, None)
        for task_id, found in self.tasks.items():
            if found.holder == agent:
                found.holder = None
                yield Take(agent, task_id)

    def _gone(self, now: float) -> Iterator[Action]:
        for agent in [agent for agent, desk in self.desks.items() if now >= desk.seen_at + self.policy.silence]:
            yield from self._left(agent)

    def _overdue(self, now: float) -> Iterator[Action]:
        for task_id, found in tuple(self.tasks.items()):
            if found.settled is not None:
                if now >= found.over_at + self.policy.memory:
                    del self.tasks[task_id]
            elif now >= found.task.deadline:
                yield from self._settled(task_id, Settled.EXPIRED, now)
            elif found.holder is not None and now >= found.lease_until:
                yield Take(found.holder, task_id)
                self._free(found, now)

    def _dealt(self, now: float) -> Iterator[Action]:
        for found in self._waiting():
            able = [agent for agent in self._able(found) if self._is_free(agent)]
            if able and now <= found.task.deadline - self.policy.shortest:
                agent = min(able, key=lambda agent: (self.desks[agent].idle_since, agent))
                found.holder, found.lease_until = agent, min(now + self.policy.lease, found.task.deadline)
                found.had_by.add(agent)
                yield Lay(agent, found.task)

    def _hopeless(self, now: float) -> Iterator[Action]:
        for found in self._waiting():
            if now > found.task.deadline - self.policy.shortest or not any(True for _ in self._able(found)):
                yield from self._settled(found.task.id, Settled.NOBODY, now)

    def _waiting(self) -> list[Open]:
        """The least time left first."""
        waiting = [found for found in self.tasks.values() if found.settled is None and found.holder is None]
        return sorted(waiting, key=lambda found: (found.task.deadline, str(found.task.id)))

    def _able(self, found: Open) -> Iterator[AgentId]:
        for agent, desk in self.desks.items():
            if found.task.language in desk.languages and agent not in found.had_by:
                yield agent

    def _is_free(self, agent: AgentId) -> bool:
        return all(found.holder != agent for found in self.tasks.values())

    def _deadlines(self) -> Iterator[float]:
        for found in self.tasks.values():
            if found.settled is not None:
                yield found.over_at + self.policy.memory
            elif found.holder is not None:
                yield min(found.lease_until, found.task.deadline)
            else:  # a moment later, for until then it may still be dealt
                yield min(found.task.deadline, found.task.deadline - self.policy.shortest + _MOMENT)
        for desk in self.desks.values():
            yield desk.seen_at + self.policy.silence

    def _check(self, event: Answered) -> None:
        found = self.tasks.get(event.task)
        if found is None:
            return
        match event.answer:
            case Picked(intent) if intent not in {choice.intent for choice in found.task.choices}:
                raise ProtocolError(f"{event.task}: expected one of the task's choices, found another")
            case Value() if found.task.value is None:
                raise ProtocolError(f"{event.task}: expected one of the task's choices, found a value")


_MOMENT = 0.001
