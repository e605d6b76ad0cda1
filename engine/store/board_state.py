"""The silent agents' board as rows, and as what the broker makes of them.

Of the tasks that have ended only those are read that are asked for, or are to be forgotten: the rest, which may be many, concerns
nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Final, get_args

import structlog
from pydantic import TypeAdapter
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from engine.assist.broker import Broker, BrokerPolicy, Desk, Open
from engine.assist.tasks import AgentId, Answer, Settled, Task, TaskId
from engine.core.units import Language
from engine.store.board_models import BoardDeskRow, BoardPhraseRow, BoardTaskRow
from engine.store.labels import written

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """The board at a moment, as far as it concerns somebody; not to be changed."""

    tasks: Mapping[TaskId, Open]
    desks: Mapping[AgentId, Desk]

    seats: Mapping[AgentId, str]
    """Which process has the desk."""

    due: float | None
    """When time alone will change something."""


class Rows:
    """The tables, read once; what has become of them is written back with :meth:`write`."""

    def __init__(self, session: Session, policy: BrokerPolicy, now: float, also: Collection[TaskId]) -> None:
        """``also``: tasks that concern somebody though they have ended."""
        self._session = session
        self._unreadable: list[TaskId] = []
        self._tasks = {it.task.id: it for it in self._read(session.execute(_tasks(now - policy.memory, also)))}
        found = session.execute(select(BoardDeskRow.__table__)).all()
        self._desks = {AgentId(it.agent): Desk(_languages(it.languages), it.seen_at, it.idle_since) for it in found}
        self._seats = {AgentId(it.agent): str(it.seat) for it in found}
        oldest = session.scalar(select(func.min(BoardTaskRow.over_at)).where(BoardTaskRow.settled.is_not(None)))
        self._forget_at = None if oldest is None else oldest + policy.memory
        tasks = {name: replace(it, had_by=set(it.had_by)) for name, it in self._tasks.items()}
        self.broker = Broker(policy, tasks, {agent: replace(desk) for agent, desk in self._desks.items()})
        self.seats = dict(self._seats)

    @property
    def state(self) -> State:
        """What the broker knows now, to look at."""
        due = [at for at in (self.broker.deadline, self._forget_at) if at is not None]
        return State(self.broker.tasks, self.broker.desks, self.seats, min(due, default=None))

    def write(self) -> None:
        """Write what has changed since."""
        now, before = self.broker.tasks, self._tasks
        self._execute(insert(BoardTaskRow), [_fixed(now[name]) | _changing(now[name]) for name in now.keys() - before.keys()])
        changed = [name for name in now.keys() & before.keys() if now[name] != before[name]]
        self._execute(update(BoardTaskRow), [_key(name) | _changing(now[name]) for name in changed])
        for name in (*(before.keys() - now.keys()), *self._unreadable):
            for table in (BoardTaskRow, BoardPhraseRow):
                self._session.execute(delete(table).where(table.call == name.call, table.number == name.number))
        self._write_desks()

    def _read(self, rows: Iterable[Any]) -> Iterator[Open]:
        """Of what an engine of another version has put up, nothing is expected: it goes, and its call goes on by itself."""
        for row in rows:
            try:
                yield _open(row)
            except (ValueError, TypeError, LookupError) as error:
                _log.error("board.unreadable", call=row.call, error=type(error).__name__)
                self._unreadable.append(TaskId(row.call, row.number))

    def _write_desks(self) -> None:
        now, before = self.broker.desks, self._desks
        changed = [it for it in now.keys() & before.keys() if now[it] != before[it] or self.seats[it] != self._seats[it]]
        self._execute(insert(BoardDeskRow), [self._desk(agent) for agent in now.keys() - before.keys()])
        self._execute(update(BoardDeskRow), [self._desk(agent) for agent in changed])
        if gone := before.keys() - now.keys():
            self._session.execute(delete(BoardDeskRow).where(BoardDeskRow.agent.in_(gone)))

    def _desk(self, agent: AgentId) -> dict[str, Any]:
        desk = self.broker.desks[agent]
        languages = json.dumps(sorted(desk.languages))
        times = {"seen_at": desk.seen_at, "idle_since": desk.idle_since}
        return {"agent": agent, "seat": self.seats[agent], "languages": languages, **times}

    def _execute(self, statement: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._session.execute(statement, rows)


def answer_of(text: str) -> Answer:
    """Read what :func:`engine.store.labels.written` has written."""
    fields = json.loads(text)
    return _ANSWERS[fields.pop("kind")](**fields)


_TASK: Final = TypeAdapter(Task)
_ANSWERS: Final[Mapping[str, Callable[..., Answer]]] = {kind.__name__.lower(): kind for kind in get_args(Answer)}


@lru_cache(maxsize=512)
def _task(text: str) -> Task:
    return _TASK.validate_json(text)


@lru_cache(maxsize=64)
def _languages(text: str) -> frozenset[Language]:
    return frozenset(json.loads(text))


def _tasks(forgotten: float, also: Collection[TaskId]) -> Any:
    goes_on = BoardTaskRow.settled.is_(None) | (BoardTaskRow.over_at <= forgotten)
    return select(BoardTaskRow.__table__).where(goes_on | BoardTaskRow.call.in_([it.call for it in also]))


def _open(row: Any) -> Open:
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


def _key(task: TaskId) -> dict[str, Any]:
    return {"call": task.call, "number": task.number}


def _fixed(found: Open) -> dict[str, Any]:
    return _key(found.task.id) | {"task": json.dumps(asdict(found.task), ensure_ascii=False)}


def _changing(found: Open) -> dict[str, Any]:
    return {
        "holder": found.holder,
        "lease_until": found.lease_until,
        "had_by": json.dumps(sorted(found.had_by), ensure_ascii=False),
        "settled": None if found.settled is None else found.settled.value,
        "over_at": found.over_at,
        "answer": None if found.answer is None else json.dumps(written(found.answer), ensure_ascii=False),
        "answered_by": found.answered_by,
    }
