"""The tables.

A conversation with the engine is its journal: one row a step, in order; nothing else is stored about it. A call between people is
one row: who took part, what the telephony said of it, and the names of its files.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, DateTime, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The root of all tables."""


class CallRow(Base):
    """One call; exactly one row and, once it has ended, exactly one outcome."""

    __tablename__ = "calls"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    engine: Mapped[str | None] = mapped_column(String(64))  # whose it is; NULL = it was taken before engines had names
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


class EngineRow(Base):
    """One engine that takes calls, until it ends or is found dead."""

    __tablename__ = "engines"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    place: Mapped[str] = mapped_column(String(96))  # the boot and process namespace that its process number counts in
    process: Mapped[int] = mapped_column(Integer)
    began: Mapped[int] = mapped_column(BigInteger)  # clock ticks after the boot: process numbers are used again
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class HumanCallRow(Base):
    """One call between people, recorded."""

    __tablename__ = "human_calls"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), index=True)  # recording, complete, broken
    reason: Mapped[str | None] = mapped_column(String(32))  # why it ended
    door: Mapped[str] = mapped_column(String(32))
    peer: Mapped[str] = mapped_column(String(64))  # the SBC's address
    peer_id: Mapped[str] = mapped_column(String(256))  # its Call-ID there
    session: Mapped[str | None] = mapped_column(String(256))  # the identity of the recorded call, as the SBC has it
    language: Mapped[str] = mapped_column(String(8))
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    length: Mapped[float | None] = mapped_column(Float)  # seconds
    mixed: Mapped[bool] = mapped_column(Boolean)  # both parties on the left channel
    recording: Mapped[str] = mapped_column(String(128))  # the file's name in the folder of recordings
    transcript: Mapped[str | None] = mapped_column(String(128))  # likewise; NULL = none was made
    participants: Mapped[str] = mapped_column(Text)  # JSON: [{"id", "aor", "name", "speaker", "label", "left"}]
    notes: Mapped[str] = mapped_column(Text)  # JSON: [{"at", "until", "kind", "speaker", "who"}], by time
    counts: Mapped[str] = mapped_column(Text)  # JSON: packets received, late, foreign; phrases lost
    documents: Mapped[str] = mapped_column(Text)  # JSON: [metadata as received], the oldest first
