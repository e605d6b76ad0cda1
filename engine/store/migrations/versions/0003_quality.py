"""Quality control: recordings and their states, scores, and what people say of them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _recordings()
    _scores()
    _samples()
    _people()
    _outbox()


def _recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("content", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(512)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("language", sa.String(8)),
        sa.Column("started_at", sa.DateTime(timezone=True), index=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("model", sa.String(64)),
        sa.Column("transcript", sa.String(256)),
        sa.Column("audio", sa.String(256)),
    )
    op.create_index("ix_recordings_queue", "recordings", ["state", "attempts", "seen_at"])
    op.create_table(
        "sightings",
        sa.Column("address", sa.String(1024), primary_key=True),
        sa.Column("content", sa.String(64), sa.ForeignKey("recordings.content"), nullable=False, index=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.Float, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )


def _scores() -> None:
    op.create_table(
        "scores",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("content", sa.String(64), sa.ForeignKey("recordings.content"), nullable=False, index=True),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("card", sa.String(128), nullable=False, index=True),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("points", sa.Float),
        sa.Column("fatal", sa.Boolean, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.UniqueConstraint("content", "model", "card", "revision"),
    )
    op.create_table(
        "verdicts",
        sa.Column("score", sa.Integer, sa.ForeignKey("scores.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("question", sa.String(128), primary_key=True),
        sa.Column("verdict", sa.String(8), nullable=False, index=True),
        sa.Column("confidence", sa.Float),
    )


def _samples() -> None:
    op.create_table(
        "samples",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("card", sa.String(128), nullable=False),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("design", sa.Text, nullable=False),
    )
    op.create_table(
        "sampled",
        sa.Column("sample", sa.Integer, sa.ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("content", sa.String(64), sa.ForeignKey("recordings.content"), primary_key=True),
        sa.Column("stratum", sa.String(64), nullable=False),
        sa.Column("probability", sa.Float, nullable=False),
    )


def _people() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("content", sa.String(64), sa.ForeignKey("recordings.content"), nullable=False, index=True),
        sa.Column("card", sa.String(128), nullable=False, index=True),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("question", sa.String(128), nullable=False),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("reviewer", sa.String(128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("sample", sa.Integer, sa.ForeignKey("samples.id")),
        sa.Column("blind", sa.Boolean, nullable=False),
    )
    op.create_table(
        "appeals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("score", sa.Integer, sa.ForeignKey("scores.id"), nullable=False, index=True),
        sa.Column("question", sa.String(128), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("answer", sa.Text),
        sa.Column("answered_by", sa.String(128)),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "stages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("card", sa.String(128), nullable=False, index=True),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("question", sa.String(128), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )


def _outbox() -> None:
    op.create_table(
        "receivers",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("occasions", sa.Text, nullable=False),
        sa.Column("stopped", sa.Boolean, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("receiver", sa.String(64), nullable=False, index=True),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("told", sa.String(256)),
    )


def downgrade() -> None:
    people = ("stages", "appeals", "reviews", "sampled", "samples")
    for table in ("outbox", "receivers", *people, "verdicts", "scores", "sightings", "recordings"):
        op.drop_table(table)
