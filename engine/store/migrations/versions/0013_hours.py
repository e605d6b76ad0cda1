"""A campaign's hours are read from an index alone: a hundred thousand calls a day are counted without looking at any of them."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_index("ix_attempts_hours", "attempts", ["campaign", "committed_at", "state", "reached", "outcome"])
    op.drop_index("ix_attempts_campaign", "attempts")


def downgrade() -> None:
    op.create_index("ix_attempts_campaign", "attempts", ["campaign", "committed_at"])
    op.drop_index("ix_attempts_hours", "attempts")
