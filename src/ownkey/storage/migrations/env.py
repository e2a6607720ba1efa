"""Alembic's entry point: runs the migrations on the connection of `migrate`."""

from alembic import context

from ownkey.storage.workbench.tables import metadata  # imported there, where every table is known

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
