"""Cases: what has to be dealt with until it is closed."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
    op.create_table(
        "cases_cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated", sa.Integer(), nullable=False),
        sa.Column("disposition", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases_cases")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_cases_cases_owner"), "cases_cases", ["owner"], unique=False)
    op.create_index(op.f("ix_cases_cases_path"), "cases_cases", ["path"], unique=False)
    op.create_index(op.f("ix_cases_cases_state"), "cases_cases", ["state"], unique=False)
    op.create_index("ix_cases_cases_state_due_at", "cases_cases", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_cases_cases_tenant"), "cases_cases", ["tenant"], unique=False)
    op.create_table(
        "cases_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases_cases.id"], name=op.f("fk_cases_history_case_id_cases_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases_history")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_cases_history_case_id"), "cases_history", ["case_id"], unique=False)
    op.create_index(op.f("ix_cases_history_tenant"), "cases_history", ["tenant"], unique=False)
    op.create_table(
        "cases_sources",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases_cases.id"], name=op.f("fk_cases_sources_case_id_cases_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases_sources")),
        sa.UniqueConstraint("subject", name=op.f("uq_cases_sources_subject")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_cases_sources_case_id"), "cases_sources", ["case_id"], unique=False)
    op.create_index(op.f("ix_cases_sources_tenant"), "cases_sources", ["tenant"], unique=False)
    op.create_table(
        "cases_tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases_cases.id"], name=op.f("fk_cases_tasks_case_id_cases_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases_tasks")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_cases_tasks_case_id"), "cases_tasks", ["case_id"], unique=False)
    op.create_index(op.f("ix_cases_tasks_owner"), "cases_tasks", ["owner"], unique=False)
    op.create_index(op.f("ix_cases_tasks_tenant"), "cases_tasks", ["tenant"], unique=False)
