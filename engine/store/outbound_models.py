"""The tables of outbound calls.

A contact is one row of one campaign's list and is in exactly one state; once it is done it has exactly one outcome. An attempt
is one intended dialling: its row is committed before anything is dialled. Who must not be called is a row of ``do_not_call``,
whatever the reason: a wish, a law, an open complaint, a bad call of late.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.models import Base

IS_OPEN = "state IN ('committed', 'dialled')"
"""Of attempts: nobody knows yet how it ends. A contact has at most one such attempt; the database itself sees to it."""


class CampaignRow(Base):
    """One campaign."""

    __tablename__ = "campaigns"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    state: Mapped[str] = mapped_column(String(16), index=True)  # draft, running, paused, stopped, finished
    reason: Mapped[str | None] = mapped_column(String(512))  # why it is paused or stopped; a sentence for people
    file: Mapped[str] = mapped_column(Text)  # the campaign file as it was written
    place: Mapped[str] = mapped_column(String(1024))  # the folder it lay in: what the file names is seen from there
    revision: Mapped[str] = mapped_column(String(64))  # SHA-256 of the file
    priority: Mapped[int] = mapped_column(Integer)  # the greater goes first
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # the first time
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # stopped or finished


class ContactRow(Base):
    """Whom a campaign calls."""

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("campaign", "person"),
        UniqueConstraint("campaign", "number"),
        Index("ix_contacts_queue", "campaign", "state", "next_at"),
        Index("ix_contacts_account", "campaign", "state", "outcome", "reason", "attempts"),  # its pages read this alone
        Index("ix_contacts_done", "state", "done_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    campaign: Mapped[str] = mapped_column(ForeignKey("campaigns.id"))
    row: Mapped[int] = mapped_column(Integer)  # of the list it came in; its head is 1
    person: Mapped[str] = mapped_column(String(64), index=True)
    number: Mapped[str] = mapped_column(String(20), index=True)  # E.164
    language: Mapped[str] = mapped_column(String(8))
    zone: Mapped[str] = mapped_column(String(64))  # IANA
    country: Mapped[str | None] = mapped_column(String(2))  # ISO 3166, of the number: whose holidays; NULL = not known
    fields: Mapped[str] = mapped_column(Text)  # JSON object of texts
    consent: Mapped[str | None] = mapped_column(String(64))
    consent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(String(16))  # waiting, dialling, done, uncertain
    outcome: Mapped[str | None] = mapped_column(String(32))  # exactly when done
    reason: Mapped[str | None] = mapped_column(String(512))  # why it waits, was skipped or is uncertain; for people
    attempts: Mapped[int] = mapped_column(Integer)  # that made a telephone ring, or may have
    next_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # not before; NULL = at once
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AttemptRow(Base):
    """One intended dialling, and what became of it."""

    __tablename__ = "attempts"
    __table_args__ = (
        Index("ix_attempts_person", "person", "committed_at"),
        Index("ix_attempts_number", "number", "committed_at"),
        Index("ix_attempts_hours", "campaign", "committed_at", "state", "reached", "outcome"),  # as with contacts
        Index("ix_attempts_account", "campaign", "reached", "state", "talked", "contact"),
        Index("ix_attempts_state", "state", "committed_at"),
        Index("ix_attempts_ended", "state", "ended_at", "id"),
        Index("ux_attempts_open", "contact", unique=True, sqlite_where=text(IS_OPEN), postgresql_where=text(IS_OPEN)),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    contact: Mapped[str] = mapped_column(ForeignKey("contacts.id"), index=True)
    campaign: Mapped[str] = mapped_column(ForeignKey("campaigns.id"))
    person: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(20))  # E.164
    state: Mapped[str] = mapped_column(String(16))  # engine.outbound.attempt's; a withdrawn one was never dialled, and counts not
    carrier: Mapped[str] = mapped_column(String(64))  # who is asked after a crash
    owner: Mapped[str] = mapped_column(String(64))  # the dialler that has it
    committed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    dialled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # just before its id went to the carrier
    reached: Mapped[str | None] = mapped_column(String(16))  # what the network says; NULL = not known (yet)
    answerer: Mapped[str | None] = mapped_column(String(16))  # person, machine ...
    call: Mapped[str | None] = mapped_column(String(64), index=True)  # the conversation's journal, where there was one
    outcome: Mapped[str | None] = mapped_column(String(32))  # what the talk came to
    details: Mapped[str] = mapped_column(Text)  # JSON object of texts: what the talk settled; date and amount of a promise ...
    reason: Mapped[str | None] = mapped_column(String(512))  # in words, where that says more
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # NULL = not known (yet)
    talked: Mapped[float] = mapped_column(Float)  # seconds from answer to end


class DiallerRow(Base):
    """One process that dials, or did: what it holds on to is lost when its lease is over."""

    __tablename__ = "diallers"

    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    lease_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PlacedCallRow(Base):
    """One call that was asked for over the API."""

    __tablename__ = "placed_calls"

    name: Mapped[str] = mapped_column(String(36), primary_key=True)  # a UUID, made of the key that it was asked for with
    asked: Mapped[str] = mapped_column(String(64))  # SHA-256 of the request
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class DoNotCallRow(Base):
    """Somebody who must not be called: by all campaigns that heed the list, or by one."""

    __tablename__ = "do_not_call"
    __table_args__ = (UniqueConstraint("list", "campaign", "who"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    list: Mapped[str] = mapped_column(String(64))  # opt_outs, complaints, bad_calls, or a list of the bank's
    campaign: Mapped[str] = mapped_column(String(64))  # the campaign's id; empty = all
    who: Mapped[str] = mapped_column(String(64), index=True)  # a number in E.164, or a person's key
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None] = mapped_column(String(512))
    source: Mapped[str] = mapped_column(String(128))  # a file, a call, a score, a person's name
