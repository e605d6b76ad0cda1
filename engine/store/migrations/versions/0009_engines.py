"""Whose calls are whose: several engines may share a database."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "engines",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("place", sa.String(96), nullable=False),
        sa.Column("process", sa.Integer, nullable=False),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("calls", sa.Column("engine", sa.String(64)))


def downgrade() -> None:
    op.drop_column("calls", "engine")
    op.drop_table("engines")
