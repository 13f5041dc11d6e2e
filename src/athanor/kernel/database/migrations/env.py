"""What Alembic runs: migrations on the connection that `athanor.kernel.database.migrating` has opened."""

from alembic import context

import athanor.kernel.corrections.tables
import athanor.kernel.identity.tables
import athanor.kernel.plant.tables
import athanor.kernel.waveforms.tables  # noqa: F401  # each puts its tables into Base.metadata
from athanor.kernel.database.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,  # SQLite can, though Alembic takes it for one that cannot
)
context.run_migrations()
