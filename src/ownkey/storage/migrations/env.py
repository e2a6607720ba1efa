"""Alembic's entry point: runs the migrations on the connection that `migrate` brings."""

from alembic import context

from ownkey.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
