"""What is known of a counter's register."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
    op.add_column("plant_tag_definitions", sa.Column("meter", sa.JSON(none_as_null=True), nullable=True))
