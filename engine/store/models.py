"""The tables. A conversation is its journal: one row a step, in order; nothing else is stored about it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The root of all tables."""


class CallRow(Base):
    """One call; exactly one row and, once it has ended, exactly one outcome."""

    __tablename__ = "calls"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    door: Mapped[str] = mapped_column(String(32))
    direction: Mapped[str] = mapped_column(String(16))
    caller_number: Mapped[str | None] = mapped_column(String(32))
    called_number: Mapped[str | None] = mapped_column(String(32))
    flow: Mapped[str] = mapped_column(String(128))
    flow_revision: Mapped[str] = mapped_column(String(64))
    agents: Mapped[bool]  # whether silent agents were wired; replay needs it
    language: Mapped[str | None] = mapped_column(String(8))
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str | None] = mapped_column(String(32), index=True)


class StepRow(Base):
    """What happened to a conversation and what it did about it, at one moment."""

    __tablename__ = "steps"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[float] = mapped_column(Float)  # seconds on the call's timeline
    event: Mapped[str | None] = mapped_column(Text)  # canonical JSON; NULL = the machine's deadline passed
    actions: Mapped[str] = mapped_column(Text)  # canonical JSON
