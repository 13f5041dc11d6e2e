"""Forms: definitions, entries and the flow of their approval."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
    op.create_table(
        "forms_definitions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forms_definitions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_forms_definitions_key"), "forms_definitions", ["key"], unique=False)
    op.create_index(op.f("ix_forms_definitions_tenant"), "forms_definitions", ["tenant"], unique=False)
    op.create_table(
        "forms_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("definition_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("entered", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["definition_id"], ["forms_definitions.id"], name=op.f("fk_forms_entries_definition_id_forms_definitions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forms_entries")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_forms_entries_author_state", "forms_entries", ["author", "state"], unique=False)
    op.create_index(op.f("ix_forms_entries_changed_at"), "forms_entries", ["changed_at"], unique=False)
    op.create_index(op.f("ix_forms_entries_definition_id"), "forms_entries", ["definition_id"], unique=False)
    op.create_index(op.f("ix_forms_entries_tenant"), "forms_entries", ["tenant"], unique=False)
    op.create_table(
        "forms_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("definition_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("published_by", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["definition_id"], ["forms_definitions.id"], name=op.f("fk_forms_versions_definition_id_forms_definitions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forms_versions")),
        sa.UniqueConstraint("definition_id", "number", name=op.f("uq_forms_versions_definition_id_number")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "forms_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["forms_entries.id"], name=op.f("fk_forms_decisions_entry_id_forms_entries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forms_decisions")),
        sa.UniqueConstraint("entry_id", "round", "step", name=op.f("uq_forms_decisions_entry_id_round_step")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_forms_decisions_by"), "forms_decisions", ["by"], unique=False)
    op.create_index(op.f("ix_forms_decisions_tenant"), "forms_decisions", ["tenant"], unique=False)
    op.create_table(
        "forms_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["forms_entries.id"], name=op.f("fk_forms_history_entry_id_forms_entries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forms_history")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_forms_history_entry_id"), "forms_history", ["entry_id"], unique=False)
    op.create_index(op.f("ix_forms_history_tenant"), "forms_history", ["tenant"], unique=False)
    op.create_table(
        "forms_waiting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_to", sa.String(), nullable=True),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["forms_entries.id"], name=op.f("fk_forms_waiting_entry_id_forms_entries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forms_waiting")),
        sa.UniqueConstraint("entry_id", "step", name=op.f("uq_forms_waiting_entry_id_step")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_forms_waiting_due_at"), "forms_waiting", ["due_at"], unique=False)
    op.create_index(op.f("ix_forms_waiting_tenant"), "forms_waiting", ["tenant"], unique=False)
