"""How long the waveforms of each asset are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
    op.add_column("plant_nodes", sa.Column("retention", sa.String(), nullable=False, server_default="standard"))
