"""Run by alembic; the connection and its transaction belong to `geowarn.store.upgrade`."""

from __future__ import annotations

from alembic import context

from geowarn.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
