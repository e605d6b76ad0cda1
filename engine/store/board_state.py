"""The silent agents' board as rows, and as what the broker makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, get_args

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.assist.broker import Broker, BrokerPolicy, Desk, Open
from engine.assist.tasks import AgentId, Answer, Settled, Task, TaskId
from engine.core.call import CallId
from engine.core.units import Language
from engine.store.board_models import BoardDeskRow, BoardTaskRow
from engine.store.labels import written


@dataclass(frozen=True, slots=True)
class State:
    """The board at a moment; not to be changed."""

    tasks: Mapping[TaskId, Open]
    desks: Mapping[AgentId, Desk]

    seats: Mapping[AgentId, str]
    """Which process has the desk."""

    due: float | None
    """When time alone will change something."""


class Rows:
    """The tables as objects of a session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tasks = {TaskId(CallId(row.call), row.number): row for row in session.scalars(select(BoardTaskRow))}
        self.desks = {AgentId(row.agent): row for row in session.scalars(select(BoardDeskRow))}

    def broker(self, policy: BrokerPolicy) -> Broker:
        """The machine in this state."""
        tasks = {name: open_of(row) for name, row in self.tasks.items()}
        desks = {agent: Desk(languages_of(row.languages), row.seen_at, row.idle_since) for agent, row in self.desks.items()}
        return Broker(policy, tasks, desks)

    def state(self, policy: BrokerPolicy) -> State:
        """The same, to look at."""
        return state_of(self.broker(policy), {agent: row.seat for agent, row in self.desks.items()})


def state_of(broker: Broker, seats: Mapping[AgentId, str]) -> State:
    """What a broker knows, to look at."""
    return State(broker.tasks, broker.desks, {agent: seats[agent] for agent in broker.desks}, broker.deadline)


_TASK: Final = TypeAdapter(Task)
_ANSWERS: Final[Mapping[str, Callable[..., Answer]]] = {kind.__name__.lower(): kind for kind in get_args(Answer)}


@lru_cache(maxsize=512)
def _task(text: str) -> Task:
    return _TASK.validate_json(text)


@lru_cache(maxsize=64)
def languages_of(text: str) -> frozenset[Language]:
    """Of a desk's row."""
    return frozenset(json.loads(text))


def answer_of(text: str) -> Answer:
    """Read what :func:`engine.store.labels.written` has written."""
    fields = json.loads(text)
    answer: Answer = _ANSWERS[fields.pop("kind")](**fields)
    return answer


def open_of(row: BoardTaskRow) -> Open:
    """As the broker has it."""
    return Open(
        task=_task(row.task),
        holder=None if row.holder is None else AgentId(row.holder),
        lease_until=row.lease_until,
        had_by=set(map(AgentId, json.loads(row.had_by))),
        settled=None if row.settled is None else Settled(row.settled),
        over_at=row.over_at,
        answer=None if row.answer is None else answer_of(row.answer),
        answered_by=None if row.answered_by is None else AgentId(row.answered_by),
    )


def write_task(row: BoardTaskRow, found: Open) -> None:
    """Make a row of it; one that is as it was costs no write."""
    row.holder, row.lease_until = found.holder, found.lease_until
    row.had_by = json.dumps(sorted(found.had_by), ensure_ascii=False)
    row.settled, row.over_at = found.settled and found.settled.value, found.over_at
    row.answer = None if found.answer is None else json.dumps(written(found.answer), ensure_ascii=False)
    row.answered_by = found.answered_by
