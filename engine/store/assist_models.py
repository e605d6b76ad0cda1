"""The tables of the silent agent: tasks that wait, who is at a desk, and what was learnt of both."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, DateTime, Float, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.models import Base


class TaskRow(Base):
    """One phrase that is, or was, somebody's task. The phrase's sound goes when the task ends."""

    __tablename__ = "assist_tasks"

    call: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    asker: Mapped[str] = mapped_column(String(64), index=True)  # the process whose call it is
    language: Mapped[str] = mapped_column(String(8))
    task: Mapped[str] = mapped_column(Text)  # JSON: engine.assist.tasks.Task
    phrase: Mapped[bytes | None] = mapped_column(LargeBinary)  # 16-bit PCM, 8 kHz
    asked_at: Mapped[float] = mapped_column(Float)  # seconds since the epoch; so are all times here
    deadline: Mapped[float] = mapped_column(Float)
    agent: Mapped[str | None] = mapped_column(String(128))  # with whom it lies
    lease_until: Mapped[float | None] = mapped_column(Float)
    shown_at: Mapped[float | None] = mapped_column(Float)
    settled: Mapped[str | None] = mapped_column(String(16), index=True)  # NULL: it is open
    settled_at: Mapped[float | None] = mapped_column(Float)
    answer: Mapped[str | None] = mapped_column(Text)  # JSON
    given: Mapped[bool] = mapped_column(Boolean)  # whether the asker has taken the outcome


class DeskRow(Base):
    """One agent at a desk."""

    __tablename__ = "assist_desks"

    agent: Mapped[str] = mapped_column(String(128), primary_key=True)
    languages: Mapped[str] = mapped_column(Text)  # JSON list
    since: Mapped[float] = mapped_column(Float)
    seen_at: Mapped[float] = mapped_column(Float)


class LabelRow(Base):
    """What a person made of a phrase: an example to learn from."""

    __tablename__ = "assist_labels"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    call: Mapped[str] = mapped_column(String(64), index=True)
    number: Mapped[int] = mapped_column(Integer)
    agent: Mapped[str] = mapped_column(String(128))
    language: Mapped[str] = mapped_column(String(8))
    flow_revision: Mapped[str] = mapped_column(String(64))
    task: Mapped[str] = mapped_column(Text)  # JSON: what was asked, with the engine's guess
    answer: Mapped[str] = mapped_column(Text)  # JSON
    late: Mapped[bool] = mapped_column(Boolean)  # the call did not wait for it
    seconds: Mapped[float] = mapped_column(Float)  # from the task to the answer
    sound: Mapped[str | None] = mapped_column(String(128))  # the phrase's file, where the bank keeps them
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
