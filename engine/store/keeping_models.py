"""The tables of how long calls are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, DateTime, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.models import Base


class ReducedCallRow(Base):
    """A call of which something has gone, or is just going: written before anything goes, so that a killed run is finished."""

    __tablename__ = "reduced_calls"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)  # the conversation's id, else the recording's content
    step: Mapped[str] = mapped_column(String(8))  # engine.privacy.retention's: sound, words, scores
    done: Mapped[bool] = mapped_column(Boolean, index=True)
    why: Mapped[str] = mapped_column(String(256))  # the class and its days, or an erasure's number
    who: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    parts: Mapped[str] = mapped_column(Text)  # JSON, while it is not done: engine.store.belongings.Parts


class HoldRow(Base):
    """Calls that may not go, whatever their time and whoever asks; deleted when they are released."""

    __tablename__ = "holds"
    __table_args__ = (UniqueConstraint("kind", "subject"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # call, person, campaign
    subject: Mapped[str] = mapped_column(String(128))  # a call's name, a number in E.164 or a person's key, a campaign's name
    why: Mapped[str] = mapped_column(String(512))
    who: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
