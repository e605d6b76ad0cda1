"""The silent agent: tasks, desks, labels."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "assist_tasks",
        sa.Column("call", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("asker", sa.String(64), nullable=False, index=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("phrase", sa.LargeBinary),
        sa.Column("asked_at", sa.Float, nullable=False),
        sa.Column("deadline", sa.Float, nullable=False),
        sa.Column("agent", sa.String(128)),
        sa.Column("lease_until", sa.Float),
        sa.Column("shown_at", sa.Float),
        sa.Column("settled", sa.String(16), index=True),
        sa.Column("settled_at", sa.Float),
        sa.Column("answer", sa.Text),
        sa.Column("given", sa.Boolean, nullable=False),
    )
    op.create_table(
        "assist_desks",
        sa.Column("agent", sa.String(128), primary_key=True),
        sa.Column("languages", sa.Text, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
    )
    op.create_table(
        "assist_labels",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("call", sa.String(64), nullable=False, index=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("agent", sa.String(128), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("flow_revision", sa.String(64), nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("sound", sa.String(128)),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
    )


def downgrade() -> None:
    for table in ("assist_labels", "assist_desks", "assist_tasks"):
        op.drop_table(table)
