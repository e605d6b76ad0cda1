"""What the console's pages look calls up by."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # in SQLite only this one is the row's own number
_NAMES = ("language", "direction", "queue", "agent", "team", "flow", "outcome")
_INDEXED = ("queue", "agent", "team", "flow")


def upgrade() -> None:
    _calls()
    _scores()
    _words()
    op.create_table(
        "found_marks", sa.Column("name", sa.String(32), primary_key=True), sa.Column("reached", sa.String(64), nullable=False)
    )
    op.create_index("ix_recordings_changed_at", "recordings", ["changed_at"])
    op.create_index("ix_calls_ended_at", "calls", ["ended_at"])


def _calls() -> None:
    op.create_table(
        "found_calls",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("call", sa.String(64), unique=True),
        sa.Column("content", sa.String(64), unique=True),
        sa.Column("seconds", sa.Float),
        *(sa.Column(name, sa.String(128)) for name in _NAMES),
        sa.Column("points", sa.Float),
        sa.Column("fatal", sa.Boolean, nullable=False),
        sa.Column("stamp", sa.String(160), nullable=False),
    )
    for name in _INDEXED:
        op.create_index(f"ix_found_calls_{name}", "found_calls", [name, "id"])


def _scores() -> None:
    op.create_table(
        "found_scores",
        sa.Column("card", sa.String(128), primary_key=True),
        sa.Column("id", _NUMBER, sa.ForeignKey("found_calls.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("team", sa.String(128)),
        sa.Column("agent", sa.String(128)),
        sa.Column("points", sa.Float),
        sa.Column("fatal", sa.Boolean, nullable=False),
        sa.Column("waiting", sa.Integer, nullable=False),
    )
    op.create_index("ix_found_scores_id", "found_scores", ["id"])
    op.create_index("ix_found_scores_waiting", "found_scores", ["card", "waiting", "id"])
    op.create_table(
        "found_failures",
        sa.Column("card", sa.String(128), primary_key=True),
        sa.Column("question", sa.String(128), primary_key=True),
        sa.Column("id", _NUMBER, sa.ForeignKey("found_calls.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("team", sa.String(128)),
        sa.Column("agent", sa.String(128)),
    )
    op.create_index("ix_found_failures_id", "found_failures", ["id"])


def _words() -> None:
    """A call's words as one row; which words there are, we say ourselves (engine.nlu.searching)."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE found_words USING fts5(words, tokenize='unicode61 remove_diacritics 0')")
        return
    op.execute(
        "CREATE TABLE found_words (id BIGINT PRIMARY KEY REFERENCES found_calls (id) ON DELETE CASCADE, words TSVECTOR NOT NULL)"
    )
    op.execute("CREATE INDEX ix_found_words_words ON found_words USING gin (words)")


def downgrade() -> None:
    op.drop_index("ix_calls_ended_at", "calls")
    op.drop_index("ix_recordings_changed_at", "recordings")
    for table in ("found_marks", "found_words", "found_failures", "found_scores", "found_calls"):
        op.drop_table(table)
