"""Campaigns: contacts, attempts, lists of those who must not be called."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
