"""The tables that calls are looked up in. All of it is made of other tables and of masked transcripts, and can be made anew.

A recording and a conversation of the engine's that are the same call are one row. Its number is when the call began, in
microseconds since 1970 (one more where another began then): so the numbers' order is time's, and a number is a page's cursor.
The words stand in ``found_words``, which each database keeps in its own way (:mod:`engine.store.found_words`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Float, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.models import Base

_NUMBER = BigInteger().with_variant(Integer, "sqlite")


class FoundCallRow(Base):
    """One call."""

    __tablename__ = "found_calls"
    __table_args__ = tuple(Index(f"ix_found_calls_{name}", name, "id") for name in ("queue", "agent", "team", "flow"))

    id: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), unique=True)  # in addresses of pages: the conversation's id, else the content
    call: Mapped[str | None] = mapped_column(String(64), unique=True)  # the conversation with the engine
    content: Mapped[str | None] = mapped_column(String(64), unique=True)  # the recording
    seconds: Mapped[float | None] = mapped_column(Float)
    language: Mapped[str | None] = mapped_column(String(128))
    direction: Mapped[str | None] = mapped_column(String(128))
    queue: Mapped[str | None] = mapped_column(String(128))
    agent: Mapped[str | None] = mapped_column(String(128))
    team: Mapped[str | None] = mapped_column(String(128))
    flow: Mapped[str | None] = mapped_column(String(128))
    outcome: Mapped[str | None] = mapped_column(String(128))
    points: Mapped[float | None] = mapped_column(Float)  # of its cards the lowest, as it counts
    fatal: Mapped[bool] = mapped_column(Boolean)
    stamp: Mapped[str] = mapped_column(String(160))  # of what it was made of; another one there: make it anew


class FoundScoreRow(Base):
    """What counts of one card's newest score of a call: the engine's verdicts with people's beside them."""

    __tablename__ = "found_scores"
    __table_args__ = (
        Index("ix_found_scores_id", "id"),
        Index("ix_found_scores_waiting", "card", "waiting", "id"),
    )

    card: Mapped[str] = mapped_column(String(128), primary_key=True)
    id: Mapped[int] = mapped_column(_NUMBER, ForeignKey("found_calls.id", ondelete="CASCADE"), primary_key=True)
    team: Mapped[str | None] = mapped_column(String(128))
    agent: Mapped[str | None] = mapped_column(String(128))
    points: Mapped[float | None] = mapped_column(Float)
    fatal: Mapped[bool] = mapped_column(Boolean)
    waiting: Mapped[int] = mapped_column(Integer)  # verdicts of the engine's that a person should look at, and nobody has


class FoundFailureRow(Base):
    """A question that a call failed, as it counts."""

    __tablename__ = "found_failures"
    __table_args__ = (Index("ix_found_failures_id", "id"),)

    card: Mapped[str] = mapped_column(String(128), primary_key=True)
    question: Mapped[str] = mapped_column(String(128), primary_key=True)
    id: Mapped[int] = mapped_column(_NUMBER, ForeignKey("found_calls.id", ondelete="CASCADE"), primary_key=True)
    team: Mapped[str | None] = mapped_column(String(128))
    agent: Mapped[str | None] = mapped_column(String(128))


class FoundMarkRow(Base):
    """How far a source of changes has been looked through."""

    __tablename__ = "found_marks"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    reached: Mapped[str] = mapped_column(String(64))
