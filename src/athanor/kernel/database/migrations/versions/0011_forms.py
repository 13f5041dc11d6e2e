"""Forms: definitions, entries and the flow of their approval."""

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
