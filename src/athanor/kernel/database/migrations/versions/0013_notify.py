"""Notification: notices, channels, policies, duty rosters, messages."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
    op.create_table(
        "notify_channels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.Column("last_error_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_channels")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notify_channels_tenant"), "notify_channels", ["tenant"], unique=False)
    op.create_table(
        "notify_notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("text", sa.JSON(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("logins", sa.JSON(), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("routed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fate", sa.String(length=20), nullable=True),
        sa.Column("next_step_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_notices")),
        sa.UniqueConstraint("key", name=op.f("uq_notify_notices_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notify_notices_fate"), "notify_notices", ["fate"], unique=False)
    op.create_index(op.f("ix_notify_notices_next_step_at"), "notify_notices", ["next_step_at"], unique=False)
    op.create_index(op.f("ix_notify_notices_made_at"), "notify_notices", ["made_at"], unique=False)
    op.create_index(op.f("ix_notify_notices_routed_at"), "notify_notices", ["routed_at"], unique=False)
    op.create_index(op.f("ix_notify_notices_subject"), "notify_notices", ["subject"], unique=False)
    op.create_index(op.f("ix_notify_notices_tenant"), "notify_notices", ["tenant"], unique=False)
    op.create_index(op.f("ix_notify_notices_topic"), "notify_notices", ["topic"], unique=False)
    op.create_table(
        "notify_policies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_policies")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notify_policies_tenant"), "notify_policies", ["tenant"], unique=False)
    op.create_table(
        "notify_reaches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=1000), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("code_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_reaches")),
        sa.UniqueConstraint("login", "kind", "address", name=op.f("uq_notify_reaches_login_kind_address")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notify_reaches_login"), "notify_reaches", ["login"], unique=False)
    op.create_index(op.f("ix_notify_reaches_tenant"), "notify_reaches", ["tenant"], unique=False)
    op.create_table(
        "notify_rosters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_rosters")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notify_rosters_tenant"), "notify_rosters", ["tenant"], unique=False)
    op.create_table(
        "notify_wishes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_wishes")),
        sa.UniqueConstraint("login", name=op.f("uq_notify_wishes_login")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notify_wishes_tenant"), "notify_wishes", ["tenant"], unique=False)
    op.create_table(
        "notify_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("policy_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=400), nullable=False),
        sa.Column("login", sa.String(), nullable=True),
        sa.Column("token", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_repeat", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("digest_id", sa.Integer(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notify_notices.id"], name=op.f("fk_notify_messages_notice_id_notify_notices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_messages")),
        sa.UniqueConstraint(
            "notice_id",
            "policy_id",
            "step",
            "channel_id",
            "recipient",
            name=op.f("uq_notify_messages_notice_id_policy_id_step_channel_id_recipient"),
        ),
        sa.UniqueConstraint("token", name=op.f("uq_notify_messages_token")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notify_messages_channel_id_sent_at", "notify_messages", ["channel_id", "sent_at"], unique=False)
    op.create_index(
        "ix_notify_messages_channel_id_state_due_at",
        "notify_messages",
        ["channel_id", "state", "due_at"],
        unique=False,
    )
    op.create_index(op.f("ix_notify_messages_login"), "notify_messages", ["login"], unique=False)
    op.create_index(op.f("ix_notify_messages_made_at"), "notify_messages", ["made_at"], unique=False)
    op.create_index("ix_notify_messages_state_due_at", "notify_messages", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_notify_messages_tenant"), "notify_messages", ["tenant"], unique=False)
