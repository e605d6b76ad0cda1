"""Recorded calls between people."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "human_calls",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("reason", sa.String(32)),
        sa.Column("door", sa.String(32), nullable=False),
        sa.Column("peer", sa.String(64), nullable=False),
        sa.Column("peer_id", sa.String(256), nullable=False),
        sa.Column("session", sa.String(256)),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("length", sa.Float),
        sa.Column("mixed", sa.Boolean, nullable=False),
        sa.Column("recording", sa.String(128), nullable=False),
        sa.Column("transcript", sa.String(128)),
        sa.Column("participants", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("documents", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("human_calls")
