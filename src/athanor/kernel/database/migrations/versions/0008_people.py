"""People: several roles, departments, second factors, invitations, tokens, grants; the audit trail becomes a chain."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from athanor.kernel.identity.audit import NOTHING, chained

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PIECE = 1000


def upgrade() -> None:
    """Bring the tables one revision forward. Who is signed in signs in again."""
    _create_departments_and_roles()
    _widen_users()
    op.drop_table("identity_sessions")
    _create_sessions()
    _create_invitations()
    _create_tokens()
    _create_grants()
    _chain_audit()


def _create_departments_and_roles() -> None:
    op.create_table(
        "identity_departments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.Column("above_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["above_id"],
            ["identity_departments.id"],
            name=op.f("fk_identity_departments_above_id_identity_departments"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_departments")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_identity_departments_tenant"), "identity_departments", ["tenant"])
    op.create_table(
        "identity_roles",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_identity_roles")),
    )


def _widen_users() -> None:
    for column in (
        sa.Column("roles", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("post", sa.String(), nullable=False, server_default=""),
        sa.Column("email", sa.String(), nullable=False, server_default=""),
        sa.Column("phone", sa.String(), nullable=False, server_default=""),
        sa.Column("directory", sa.String(), nullable=False, server_default="local"),
        sa.Column("outside_id", sa.String(), nullable=True),
        sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("second_factor", sa.String(), nullable=True),
        sa.Column("second_factor_step", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("recovery_hashes", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("identity_users", column)
    # In words, since SQLite takes a foreign key with a new column, and not after it.
    op.execute(
        "ALTER TABLE identity_users ADD COLUMN department_id INTEGER "
        "CONSTRAINT fk_identity_users_department_id_identity_departments "
        "REFERENCES identity_departments (id)"
    )
    op.create_index(op.f("ix_identity_users_outside_id"), "identity_users", ["outside_id"], unique=True)
    users = sa.table("identity_users", sa.column("id"), sa.column("role", sa.String()), sa.column("roles", sa.JSON()))
    bind = op.get_bind()
    for row in bind.execute(sa.select(users.c.id, users.c.role)).all():
        bind.execute(users.update().where(users.c.id == row.id).values(roles=[row.role]))
    op.drop_column("identity_users", "role")


def _create_sessions() -> None:
    op.create_table(
        "identity_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("lacks", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["identity_users.id"],
            name=op.f("fk_identity_sessions_user_id_identity_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_identity_sessions")),
    )
    op.create_index(op.f("ix_identity_sessions_expires_at"), "identity_sessions", ["expires_at"])
    op.create_index(op.f("ix_identity_sessions_user_id"), "identity_sessions", ["user_id"])


def _create_invitations() -> None:
    op.create_table(
        "identity_invitations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("post", sa.String(), nullable=False),
        sa.Column("for_user_id", sa.Integer(), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["identity_departments.id"],
            name=op.f("fk_identity_invitations_department_id_identity_departments"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["for_user_id"],
            ["identity_users.id"],
            name=op.f("fk_identity_invitations_for_user_id_identity_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_identity_invitations_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_identity_invitations_tenant"), "identity_invitations", ["tenant"])


def _create_tokens() -> None:
    op.create_table(
        "identity_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_from", sa.String(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["identity_users.id"],
            name=op.f("fk_identity_tokens_user_id_identity_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_identity_tokens_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_identity_tokens_user_id"), "identity_tokens", ["user_id"])


def _create_grants() -> None:
    op.create_table(
        "identity_grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("consumer", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("data_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_by", sa.String(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revocation", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_grants")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_identity_grants_owner"), "identity_grants", ["owner"])
    op.create_index(op.f("ix_identity_grants_consumer"), "identity_grants", ["consumer"])


def _chain_audit() -> None:
    """Entries that are there are chained as they stand: from now on a change of them shows."""
    bind = op.get_bind()
    op.add_column("identity_audit", sa.Column("chain", sa.String(length=64), nullable=False, server_default=NOTHING))
    op.create_index(op.f("ix_identity_audit_actor"), "identity_audit", ["actor"])
    is_sqlite = bind.dialect.name == "sqlite"
    triggers: list[str] = []
    if is_sqlite:
        for row in bind.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all():
            if row.name.startswith("identity_audit_"):
                triggers.append(row.sql)
                op.execute(f"DROP TRIGGER {row.name}")
    else:
        op.execute("ALTER TABLE identity_audit DISABLE TRIGGER identity_audit_append_only")
    rows, chain = _chain_rows(bind)
    for trigger in triggers:
        op.execute(trigger)
    if not is_sqlite:
        op.execute("ALTER TABLE identity_audit ENABLE TRIGGER identity_audit_append_only")
    op.create_table(
        "identity_audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_audit_head")),
    )
    head = sa.table("identity_audit_head", sa.column("id"), sa.column("rows"), sa.column("chain"))
    bind.execute(head.insert().values(id=1, rows=rows, chain=chain))


def _chain_rows(bind: sa.Connection) -> tuple[int, str]:
    names = ("id", "actor", "action", "subject", "address")
    audit = sa.table(
        "identity_audit",
        *(sa.column(name) for name in names),
        sa.column("at", sa.DateTime(timezone=True)),
        sa.column("detail", sa.JSON()),
        sa.column("chain"),
    )
    rows, chain, last_id = 0, NOTHING, 0
    while piece := bind.execute(sa.select(audit).where(audit.c.id > last_id).order_by(audit.c.id).limit(_PIECE)).all():
        chains = []
        for row in piece:
            entry = row._asdict()
            entry["at"] = _aware(row.at)
            entry["detail"] = json.loads(row.detail) if isinstance(row.detail, str) else row.detail
            chain = chained(chain, entry)
            chains.append({"row_id": row.id, "new": chain})
        bind.execute(
            audit.update().where(audit.c.id == sa.bindparam("row_id")).values(chain=sa.bindparam("new")), chains
        )
        rows, last_id = rows + len(piece), piece[-1].id
    return rows, chain


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
