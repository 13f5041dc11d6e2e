"""Alarms: rules, where each alarm stands, occurrences and events."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
    op.add_column("plant_park", sa.Column("types", sa.JSON(), server_default="{}", nullable=False))
    op.create_table(
        "alarms_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms_rules")),
        sa.UniqueConstraint("tenant", "key", name=op.f("uq_alarms_rules_tenant_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alarms_rules_key"), "alarms_rules", ["key"], unique=False)
    op.create_index(op.f("ix_alarms_rules_tenant"), "alarms_rules", ["tenant"], unique=False)
    op.create_index(
        "uq_alarms_rules_park_key",
        "alarms_rules",
        ["key"],
        unique=True,
        sqlite_where=sa.text("tenant IS NULL"),
        postgresql_where=sa.text("tenant IS NULL"),
    )
    op.create_table(
        "alarms_alarms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=5), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_judged", sa.Boolean(), nullable=False),
        sa.Column("is_suppressed", sa.Boolean(), nullable=False),
        sa.Column("shelved_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shelved_by", sa.String(), nullable=True),
        sa.Column("out_of_service_by", sa.String(), nullable=True),
        sa.Column("out_of_service_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("out_of_service_reason", sa.String(), nullable=False),
        sa.Column("hidden_reason", sa.String(), nullable=False),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("occurrence_id", sa.Integer(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("limit", sa.Double(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged_us", sa.BigInteger(), nullable=False),
        sa.Column("suppressed_us", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["rule_id"], ["alarms_rules.id"], name=op.f("fk_alarms_alarms_rule_id_alarms_rules")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms_alarms")),
        sa.UniqueConstraint("rule_id", "path", name=op.f("uq_alarms_alarms_rule_id_path")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alarms_alarms_path"), "alarms_alarms", ["path"], unique=False)
    op.create_index(op.f("ix_alarms_alarms_revision"), "alarms_alarms", ["revision"], unique=False)
    op.create_index(op.f("ix_alarms_alarms_rule_id"), "alarms_alarms", ["rule_id"], unique=False)
    op.create_index(op.f("ix_alarms_alarms_shelved_until"), "alarms_alarms", ["shelved_until"], unique=False)
    op.create_index(op.f("ix_alarms_alarms_state"), "alarms_alarms", ["state"], unique=False)
    op.create_index(op.f("ix_alarms_alarms_tenant"), "alarms_alarms", ["tenant"], unique=False)
    op.create_table(
        "alarms_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms_head")),
    )
    head = sa.table("alarms_head", sa.column("id"), sa.column("revision"))
    op.execute(head.insert().values(id=1, revision=0))
    op.create_table(
        "alarms_rule_revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["alarms_rules.id"], name=op.f("fk_alarms_rule_revisions_rule_id_alarms_rules")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms_rule_revisions")),
        sa.UniqueConstraint("rule_id", "revision", name=op.f("uq_alarms_rule_revisions_rule_id_revision")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "alarms_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("occurrence_id", sa.Integer(), nullable=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(length=5), nullable=False),
        sa.Column("to_state", sa.String(length=5), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("limit", sa.Double(), nullable=True),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["alarms_alarms.id"], name=op.f("fk_alarms_events_alarm_id_alarms_alarms")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alarms_events_alarm_id_at", "alarms_events", ["alarm_id", "at"], unique=False)
    op.create_index(op.f("ix_alarms_events_at"), "alarms_events", ["at"], unique=False)
    op.create_index(op.f("ix_alarms_events_occurrence_id"), "alarms_events", ["occurrence_id"], unique=False)
    op.create_index(op.f("ix_alarms_events_seen_at"), "alarms_events", ["seen_at"], unique=False)
    op.create_index(op.f("ix_alarms_events_tenant"), "alarms_events", ["tenant"], unique=False)
    op.create_table(
        "alarms_occurrences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_announced", sa.Boolean(), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("limit", sa.Double(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["alarms_alarms.id"], name=op.f("fk_alarms_occurrences_alarm_id_alarms_alarms")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms_occurrences")),
        sa.UniqueConstraint("alarm_id", "raised_at", name=op.f("uq_alarms_occurrences_alarm_id_raised_at")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alarms_occurrences_path"), "alarms_occurrences", ["path"], unique=False)
    op.create_index(op.f("ix_alarms_occurrences_raised_at"), "alarms_occurrences", ["raised_at"], unique=False)
    op.create_index(op.f("ix_alarms_occurrences_rule_id"), "alarms_occurrences", ["rule_id"], unique=False)
    op.create_index(op.f("ix_alarms_occurrences_tenant"), "alarms_occurrences", ["tenant"], unique=False)
    op.create_index(
        "ix_alarms_occurrences_tenant_raised_at", "alarms_occurrences", ["tenant", "raised_at"], unique=False
    )
    op.create_table(
        "alarms_comments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occurrence_id", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(length=4000), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["occurrence_id"],
            ["alarms_occurrences.id"],
            name=op.f("fk_alarms_comments_occurrence_id_alarms_occurrences"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms_comments")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_alarms_comments_occurrence_id"), "alarms_comments", ["occurrence_id"], unique=False)
    op.create_index(op.f("ix_alarms_comments_tenant"), "alarms_comments", ["tenant"], unique=False)
