"""What has ended of late is found without a look at what ended before: the bank's systems are told of it every few seconds."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index("ix_attempts_ended", "attempts", ["state", "ended_at", "id"])
    op.create_index("ix_contacts_done", "contacts", ["state", "done_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_contacts_done", "contacts")
    op.drop_index("ix_attempts_ended", "attempts")
