"""Campaigns: contacts, attempts, lists of those who must not be called."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _campaigns()
    _contacts()
    _attempts()
    _diallers()
    _placed_calls()
    _do_not_call()


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(128), nullable=False, unique=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("reason", sa.String(512)),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("place", sa.String(1024), nullable=False),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
    )


def _contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("campaign", sa.String(64), sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("person", sa.String(64), nullable=False, index=True),
        sa.Column("number", sa.String(20), nullable=False, index=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("country", sa.String(2)),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("consent", sa.String(64)),
        sa.Column("consent_at", sa.DateTime(timezone=True)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(32)),
        sa.Column("reason", sa.String(512)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("campaign", "person"),
        sa.UniqueConstraint("campaign", "number"),
    )
    op.create_index("ix_contacts_queue", "contacts", ["campaign", "state", "next_at"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("contact", sa.String(64), sa.ForeignKey("contacts.id"), nullable=False, index=True),
        sa.Column("campaign", sa.String(64), sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("carrier", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dialled_at", sa.DateTime(timezone=True)),
        sa.Column("reached", sa.String(16)),
        sa.Column("answerer", sa.String(16)),
        sa.Column("call", sa.String(64), index=True),
        sa.Column("outcome", sa.String(32)),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("reason", sa.String(512)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("talked", sa.Float, nullable=False),
    )
    for name, columns in (
        ("person", ["person", "committed_at"]),
        ("number", ["number", "committed_at"]),
        ("campaign", ["campaign", "committed_at"]),
        ("state", ["state", "committed_at"]),
    ):
        op.create_index(f"ix_attempts_{name}", "attempts", columns)
    is_open = sa.text("state IN ('committed', 'dialled')")
    op.create_index("ux_attempts_open", "attempts", ["contact"], unique=True, sqlite_where=is_open, postgresql_where=is_open)


def _diallers() -> None:
    op.create_table(
        "diallers",
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
    )


def _placed_calls() -> None:
    op.create_table(
        "placed_calls",
        sa.Column("name", sa.String(36), primary_key=True),
        sa.Column("asked", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


def _do_not_call() -> None:
    op.create_table(
        "do_not_call",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("list", sa.String(64), nullable=False),
        sa.Column("campaign", sa.String(64), nullable=False),
        sa.Column("who", sa.String(64), nullable=False, index=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(512)),
        sa.Column("source", sa.String(128), nullable=False),
        sa.UniqueConstraint("list", "campaign", "who"),
    )


def downgrade() -> None:
    for table in ("do_not_call", "placed_calls", "diallers", "attempts", "contacts", "campaigns"):
        op.drop_table(table)
