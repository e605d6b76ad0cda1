"""The table of the silent agent: what people made of phrases."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, DateTime, Float, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.models import Base


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
