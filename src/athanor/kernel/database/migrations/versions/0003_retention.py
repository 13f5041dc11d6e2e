"""How long the samples of each tag are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
    op.add_column("plant_tags", sa.Column("retention", sa.String(), nullable=False, server_default="standard"))
