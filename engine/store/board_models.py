"""The tables of the silent agents' board. Nothing stays in them: a task goes a minute after it has ended, its sound at once."""

from __future__ import annotations

from sqlalchemy import Float, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.models import Base


class BoardTaskRow(Base):
    """One phrase to be understood, as the broker knows it."""

    __tablename__ = "board_tasks"

    call: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    task: Mapped[str] = mapped_column(Text)  # JSON; never changes
    holder: Mapped[str | None] = mapped_column(String(128))
    lease_until: Mapped[float] = mapped_column(Float)  # seconds since the epoch, as everywhere on the board
    had_by: Mapped[str] = mapped_column(Text)  # JSON: agents
    settled: Mapped[str | None] = mapped_column(String(16))
    over_at: Mapped[float] = mapped_column(Float)
    answer: Mapped[str | None] = mapped_column(Text)  # JSON: the one that counted
    answered_by: Mapped[str | None] = mapped_column(String(128))


class BoardPhraseRow(Base):
    """The sound of a task that has not ended."""

    __tablename__ = "board_phrases"

    call: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    sound: Mapped[bytes] = mapped_column(LargeBinary)  # 16-bit little-endian PCM at 8 kHz


class BoardDeskRow(Base):
    """An agent who is signed in."""

    __tablename__ = "board_desks"

    agent: Mapped[str] = mapped_column(String(128), primary_key=True)
    seat: Mapped[str] = mapped_column(String(32))  # the process that has the desk
    languages: Mapped[str] = mapped_column(Text)  # JSON
    seen_at: Mapped[float] = mapped_column(Float)
    idle_since: Mapped[float] = mapped_column(Float)


class BoardVersionRow(Base):
    """One row, which grows with every change that somebody else wants to hear of."""

    __tablename__ = "board_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
