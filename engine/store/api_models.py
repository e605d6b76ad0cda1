"""The table of what the API has answered: a request that is sent again is answered again, and not done twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.models import Base


class AnswerRow(Base):
    """One request that carried a key."""

    __tablename__ = "answers"

    slot: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of who asked and of their key
    asked: Mapped[str] = mapped_column(String(64))  # HMAC-SHA-256 of the request, by its key
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    status: Mapped[int | None] = mapped_column(Integer)  # NULL = it is being done
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # the answer, encrypted with a key made of the request's
