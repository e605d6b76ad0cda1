"""The labels of silent agents, read back to learn from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.assist.learning.corrections import Label
from engine.assist.tasks import AgentId, Answer, CantTell, Picked, Task, Typed, Value
from engine.core.errors import ConfigError
from engine.store.assist_models import LabelRow

_TASK: TypeAdapter[Task] = TypeAdapter(Task)
_ANSWERS: Mapping[str, TypeAdapter[Any]] = {kind.__name__.lower(): TypeAdapter(kind) for kind in (Picked, Value, Typed, CantTell)}


@dataclass(frozen=True, slots=True)
class ReadLabels:
    """All of them."""

    labels: tuple[Label, ...] = ()
    """In the order in which they were kept."""

    unreadable: tuple[str, ...] = ()
    """What is wrong with those that can't be read."""


def read_labels(engine: Engine) -> ReadLabels:
    """Read every label; one that can't be read does not keep the others back.

    Raises:
        ConfigError: there is no table of them.
    """
    labels: list[Label] = []
    unreadable: list[str] = []
    try:
        with Session(engine) as session:
            for row in session.scalars(select(LabelRow).order_by(LabelRow.id)):
                try:
                    labels.append(_read(row))
                except (ValueError, KeyError) as error:
                    unreadable.append(
                        f"assist_labels {row.id}: expected a task and an answer as JSON, found {_first_line(error)}"
                    )
    except SQLAlchemyError as error:
        raise ConfigError(f"expected a database with labels of silent agents, found: {_first_line(error)}") from error
    return ReadLabels(tuple(labels), tuple(unreadable))


def _read(row: LabelRow) -> Label:
    answer = dict(json.loads(row.answer))
    made: Answer = _ANSWERS[answer.pop("kind")].validate_python(answer)
    at = row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)  # SQLite keeps no zone
    return Label(_TASK.validate_json(row.task), AgentId(row.agent), made, row.late, at)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
