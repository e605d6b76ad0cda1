"""The tables of quality control.

A recording is its content: the SHA-256 of its bytes. Wherever the same bytes are seen again, it is the same recording. What was
heard in it is one masked transcript a model, what a card says of it one score a revision; a person's verdict stands beside the
engine's and never replaces it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, DateTime, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.models import Base


class RecordingRow(Base):
    """One recording, in exactly one state."""

    __tablename__ = "recordings"
    __table_args__ = (Index("ix_recordings_queue", "state", "attempts", "seen_at"),)  # in the order in which they are claimed

    content: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of the file, hex
    state: Mapped[str] = mapped_column(String(16))  # waiting, running, scored, excluded, failed, erased
    reason: Mapped[str | None] = mapped_column(String(512))  # why it is excluded, failed or erased; for people
    attempts: Mapped[int] = mapped_column(Integer)  # how often it was begun and never ended (engine.qa.ledger)
    owner: Mapped[str | None] = mapped_column(String(64))  # the run that has it while it is running
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    source: Mapped[str] = mapped_column(String(16))  # folder, api, call, siprec, address
    call: Mapped[str | None] = mapped_column(String(64), index=True)  # of the engine's or recorded by it; NULL = the bank's own
    facts: Mapped[str] = mapped_column(Text)  # JSON object of texts: agent, team, queue, direction, campaign, call_id ...
    language: Mapped[str | None] = mapped_column(String(8))  # as it was told, or else as it was detected
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)  # of the call, where known
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seconds: Mapped[float | None] = mapped_column(Float)  # of the call; NULL until it was heard
    model: Mapped[str | None] = mapped_column(String(64))  # the revision of what heard it; NULL until it was heard
    transcript: Mapped[str | None] = mapped_column(String(256))  # masked; the file's place in the QA folder
    audio: Mapped[str | None] = mapped_column(String(256))  # masked; likewise; NULL though heard = its time is over


class SightingRow(Base):
    """Where a recording was seen; the same bytes may lie in several places."""

    __tablename__ = "sightings"

    address: Mapped[str] = mapped_column(String(1024), primary_key=True)  # a path or an fsspec address
    content: Mapped[str] = mapped_column(ForeignKey("recordings.content"), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    changed: Mapped[float] = mapped_column(Float)  # the file's modification time; together with the size: read it again?
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ScoreRow(Base):
    """What one revision of one card says of what one model heard; never changed, only added to."""

    __tablename__ = "scores"
    __table_args__ = (UniqueConstraint("content", "model", "card", "revision"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[str] = mapped_column(ForeignKey("recordings.content"), index=True)
    model: Mapped[str] = mapped_column(String(64))
    card: Mapped[str] = mapped_column(String(128), index=True)
    revision: Mapped[str] = mapped_column(String(64))
    points: Mapped[float | None] = mapped_column(Float)  # 0 to 100; NULL = nothing was decided
    fatal: Mapped[bool] = mapped_column(Boolean)
    result: Mapped[str] = mapped_column(Text)  # JSON: the shape of `callwright qa score --json`
    scored_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class VerdictRow(Base):
    """One question of a score, for questions over many calls."""

    __tablename__ = "verdicts"

    score: Mapped[int] = mapped_column(ForeignKey("scores.id", ondelete="CASCADE"), primary_key=True)
    question: Mapped[str] = mapped_column(String(128), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(8), index=True)  # pass, fail, unknown, na
    confidence: Mapped[float | None] = mapped_column(Float)


class ReviewRow(Base):
    """A person's verdict on one question of one call."""

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[str] = mapped_column(ForeignKey("recordings.content"), index=True)
    card: Mapped[str] = mapped_column(String(128), index=True)
    revision: Mapped[str] = mapped_column(String(64))  # of the card that was in front of them
    question: Mapped[str] = mapped_column(String(128))
    verdict: Mapped[str] = mapped_column(String(8))
    reviewer: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    comment: Mapped[str] = mapped_column(Text)
    sample: Mapped[int | None] = mapped_column(ForeignKey("samples.id"))  # drawn for it; NULL = somebody chose the call
    blind: Mapped[bool] = mapped_column(Boolean)  # whether the engine's verdict was hidden from them


class AppealRow(Base):
    """An agent's objection to a verdict, and its answer."""

    __tablename__ = "appeals"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    score: Mapped[int] = mapped_column(ForeignKey("scores.id"), index=True)
    question: Mapped[str] = mapped_column(String(128))
    by: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), index=True)  # open, upheld, rejected
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[str | None] = mapped_column(String(128))
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SampleRow(Base):
    """A draw of calls for people to score."""

    __tablename__ = "samples"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    card: Mapped[str] = mapped_column(String(128))
    revision: Mapped[str] = mapped_column(String(64))
    drawn_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    design: Mapped[str] = mapped_column(Text)  # JSON: the seed, and of each stratum its size and how many were drawn


class SampledRow(Base):
    """One call of a draw."""

    __tablename__ = "sampled"

    sample: Mapped[int] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[str] = mapped_column(ForeignKey("recordings.content"), primary_key=True)
    stratum: Mapped[str] = mapped_column(String(64))
    probability: Mapped[float] = mapped_column(Float)  # of being drawn; what an unbiased estimate weighs it by


class StageRow(Base):
    """How far a question is trusted, and since when; the newest row counts."""

    __tablename__ = "stages"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    card: Mapped[str] = mapped_column(String(128), index=True)
    revision: Mapped[str] = mapped_column(String(64))
    question: Mapped[str] = mapped_column(String(128))
    stage: Mapped[str] = mapped_column(String(16))  # shadow, assisted, automatic
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    by: Mapped[str] = mapped_column(String(128))
    why: Mapped[str] = mapped_column(Text)


class ReceiverRow(Base):
    """A system of the bank's that is told of events; its address and its secret are in the configuration."""

    __tablename__ = "receivers"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    occasions: Mapped[str] = mapped_column(Text)  # JSON: what it wants to be told
    stopped: Mapped[bool] = mapped_column(Boolean)  # it answered that it is gone


class OutboxRow(Base):
    """One message to one receiver."""

    __tablename__ = "outbox"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  # the webhook-id; the same event has the same one
    receiver: Mapped[str] = mapped_column(String(64), index=True)
    type: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)  # JSON, byte for byte as it is signed and sent
    state: Mapped[str] = mapped_column(String(16), index=True)  # waiting, sent, stopped, given_up
    attempts: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)  # the next attempt; moved on by a claim
    told: Mapped[str | None] = mapped_column(String(256))  # why the last attempt failed
