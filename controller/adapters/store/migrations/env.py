"""Alembic's entry: runs the revisions on the connection that `schema.upgrade` hands over."""

from alembic import context

from controller.adapters.store import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables.metadata)
with context.begin_transaction():
    context.run_migrations()
