"""What lets pages answer over hundreds of thousands of rows: indexes of a campaign's account, and more words counted.

PostgreSQL takes a word that is not among the frequent ones it counted for one in 200 calls, and would rather read all calls from
the newest on than ask the index of words: with 10,000 words counted instead of 1,000 a rare one is rare to it.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
_COUNTED = 1000  # ten words each


def upgrade() -> None:
    op.create_index("ix_attempts_account", "attempts", ["campaign", "reached", "state", "talked", "contact"])
    op.create_index("ix_contacts_account", "contacts", ["campaign", "state", "outcome", "reason", "attempts"])
    _count(_COUNTED)


def downgrade() -> None:
    _count(-1)
    op.drop_index("ix_contacts_account", "contacts")
    op.drop_index("ix_attempts_account", "attempts")


def _count(words: int) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE found_words ALTER COLUMN words SET STATISTICS {words}")
        op.execute("ANALYZE found_words")
