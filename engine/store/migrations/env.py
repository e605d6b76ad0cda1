"""Alembic's way in: runs the versions on the connection that :func:`engine.store.database.upgrade` holds."""

from alembic import context

from engine.store.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
