"""How long calls are kept: what has gone of them, and what may not go."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "reduced_calls",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("step", sa.String(8), nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Column("why", sa.String(256), nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
    )
    op.create_index("ix_reduced_calls_done", "reduced_calls", ["done"])
    op.create_table(
        "holds",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("why", sa.String(512), nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("kind", "subject"),
    )
    op.add_column("recordings", sa.Column("call", sa.String(64)))
    _tell_calls(op.get_bind())
    op.create_index("ix_recordings_call", "recordings", ["call"])


def _tell_calls(connection: sa.Connection) -> None:
    """Of the engine's own recordings, which call it was: until now among the facts alone."""
    some = (
        "SELECT content, facts FROM recordings WHERE source IN ('call', 'siprec') AND content > :last ORDER BY content LIMIT 500"
    )
    last = ""
    while rows := connection.execute(sa.text(some), {"last": last}).all():
        told = [{"content": row.content, "call": json.loads(row.facts).get("call_id")} for row in rows]
        connection.execute(sa.text("UPDATE recordings SET call = :call WHERE content = :content"), told)
        last = rows[-1].content


def downgrade() -> None:
    op.drop_index("ix_recordings_call", "recordings")
    op.drop_column("recordings", "call")
    op.drop_table("holds")
    op.drop_table("reduced_calls")
