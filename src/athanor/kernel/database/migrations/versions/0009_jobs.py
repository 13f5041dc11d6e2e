"""Jobs: runs that outlive the server, and schedules."""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
