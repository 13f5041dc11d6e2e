"""The plant and who may see it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_REFUSE_SQLITE = """
CREATE TRIGGER identity_audit_{verb} BEFORE {verb} ON identity_audit
BEGIN SELECT RAISE(ABORT, 'The audit trail is append-only.'); END
"""
_REFUSE_POSTGRESQL = (
    """
    CREATE FUNCTION identity_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'The audit trail is append-only.'; END $$
    """,
    """
    CREATE TRIGGER identity_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_audit
    FOR EACH STATEMENT EXECUTE FUNCTION identity_audit_refuse()
    """,
)


def upgrade() -> None:
    """Bring the tables one revision forward."""
    _create_tables()
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(_REFUSE_SQLITE.format(verb=verb))
    else:
        for statement in _REFUSE_POSTGRESQL:
            op.execute(statement)


def _create_tables() -> None:

    op.create_table(
        "identity_audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_identity_audit_action"), "identity_audit", ["action"], unique=False)
    op.create_index(op.f("ix_identity_audit_at"), "identity_audit", ["at"], unique=False)
    op.create_table(
        "identity_edge_tokens",
        sa.Column("edge", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("edge", name=op.f("pk_identity_edge_tokens")),
    )
    op.create_table(
        "identity_sign_in_failures",
        sa.Column("login_hash", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("login_hash", name=op.f("pk_identity_sign_in_failures")),
    )
    op.create_index(
        op.f("ix_identity_sign_in_failures_last_at"), "identity_sign_in_failures", ["last_at"], unique=False
    )
    op.create_table(
        "identity_users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_users")),
        sa.UniqueConstraint("login", name=op.f("uq_identity_users_login")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "plant_park",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plant_park")),
    )
    op.create_table(
        "plant_tags",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plant_tags")),
        sa.UniqueConstraint("path", name=op.f("uq_plant_tags_path")),
    )
    op.create_table(
        "plant_tenants",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plant_tenants")),
    )
    op.create_table(
        "identity_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["identity_users.id"],
            name=op.f("fk_identity_sessions_user_id_identity_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_identity_sessions")),
    )
    op.create_index(op.f("ix_identity_sessions_expires_at"), "identity_sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_identity_sessions_user_id"), "identity_sessions", ["user_id"], unique=False)
    op.create_table(
        "plant_nodes",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["tenant"], ["plant_tenants.id"], name=op.f("fk_plant_nodes_tenant_plant_tenants")),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_plant_nodes")),
    )
    op.create_index(op.f("ix_plant_nodes_tenant"), "plant_nodes", ["tenant"], unique=False)
    op.create_table(
        "plant_tag_definitions",
        sa.Column("tag", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("decimals", sa.Integer(), nullable=False),
        sa.Column("low_low_limit", sa.Double(), nullable=True),
        sa.Column("low_limit", sa.Double(), nullable=True),
        sa.Column("high_limit", sa.Double(), nullable=True),
        sa.Column("high_high_limit", sa.Double(), nullable=True),
        sa.Column("period_s", sa.Double(), nullable=True),
        sa.Column("states", sa.JSON(), nullable=False),
        sa.Column("role", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["node"], ["plant_nodes.path"], name=op.f("fk_plant_tag_definitions_node_plant_nodes")),
        sa.ForeignKeyConstraint(["tag"], ["plant_tags.id"], name=op.f("fk_plant_tag_definitions_tag_plant_tags")),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_plant_tag_definitions")),
    )
    op.create_index(op.f("ix_plant_tag_definitions_node"), "plant_tag_definitions", ["node"], unique=False)
