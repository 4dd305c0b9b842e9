"""Runs the steps on the connection that the studio hands over."""

from alembic import context
from sqlmodel import SQLModel

from quanvolve.studio import _tables  # noqa: F401  (fills the metadata)

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
