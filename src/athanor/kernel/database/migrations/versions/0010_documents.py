"""Documents: what is kept, in versions, and what it is tied to."""

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
