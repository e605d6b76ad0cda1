"""The tables of who may do what: people, machines' tokens, sessions, the audit chain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, DateTime, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.models import Base


class PersonRow(Base):
    """Somebody who signs in; never deleted, for the name stands in the audit chain."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    password: Mapped[str] = mapped_column(String(256))  # argon2id, with its salt and cost; or whom the bank's issuer vouches for
    roles: Mapped[str] = mapped_column(Text)  # JSON: a list
    teams: Mapped[str] = mapped_column(Text)  # JSON: a list; empty = everybody's calls
    disabled: Mapped[bool] = mapped_column(Boolean)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    password_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    signed_in_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SessionRow(Base):
    """A browser in which somebody has signed in."""

    __tablename__ = "sessions"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of what the cookie holds
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class TokenRow(Base):
    """A machine that shows a token; never deleted, as people are not."""

    __tablename__ = "machines"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the token
    roles: Mapped[str] = mapped_column(Text)  # JSON: a list
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked: Mapped[bool] = mapped_column(Boolean)


class AuditRow(Base):
    """A link of the audit chain: see :mod:`engine.access.chain`."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32), index=True)  # as text, for it is hashed as it stands here
    who: Mapped[str] = mapped_column(String(80), index=True)
    what: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200), index=True)
    address: Mapped[str] = mapped_column(String(45))
    details: Mapped[str] = mapped_column(Text)  # JSON: an object
    hash: Mapped[str] = mapped_column(String(64))


class AuditHeadRow(Base):
    """One row: where the chain begins and ends. Who appends updates it first, and so waits for others who do."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # 1
    number: Mapped[int] = mapped_column(Integer)
    hash: Mapped[str] = mapped_column(String(64))
    start_number: Mapped[int] = mapped_column(Integer)  # of the last row that was taken out; 0 = none was
    start_hash: Mapped[str] = mapped_column(String(64))
