"""The silent agents' board, for engines of several processes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "board_tasks",
        sa.Column("call", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("holder", sa.String(128)),
        sa.Column("lease_until", sa.Float, nullable=False),
        sa.Column("had_by", sa.Text, nullable=False),
        sa.Column("settled", sa.String(16)),
        sa.Column("over_at", sa.Float, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("answered_by", sa.String(128)),
    )
    op.create_table(
        "board_phrases",
        sa.Column("call", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("sound", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "board_desks",
        sa.Column("agent", sa.String(128), primary_key=True),
        sa.Column("seat", sa.String(32), nullable=False),
        sa.Column("languages", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.Column("idle_since", sa.Float, nullable=False),
    )
    version = op.create_table(
        "board_version",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.bulk_insert(version, [{"id": 1, "version": 0}])


def downgrade() -> None:
    for table in ("board_version", "board_desks", "board_phrases", "board_tasks"):
        op.drop_table(table)
