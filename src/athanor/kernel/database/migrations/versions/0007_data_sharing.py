"""Data sharing: products and their versions, grants, tokens, calls, breaches, days."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
    op.create_table(
        "exchange_products",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_products")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_exchange_products_owner"), "exchange_products", ["owner"], unique=False)
    op.create_table(
        "exchange_breaches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"], ["exchange_products.id"], name=op.f("fk_exchange_breaches_product_id_exchange_products")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_breaches")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_exchange_breaches_product_id_ended_at", "exchange_breaches", ["product_id", "ended_at"], unique=False
    )
    op.create_table(
        "exchange_days",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("completeness", sa.Double(), nullable=True),
        sa.Column("worst", sa.String(), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("sent_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["exchange_products.id"], name=op.f("fk_exchange_days_product_id_exchange_products")
        ),
        sa.PrimaryKeyConstraint("product_id", "day", name=op.f("pk_exchange_days")),
    )
    op.create_table(
        "exchange_grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("consumer", sa.String(), nullable=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("revoked_by", sa.String(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revocation", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"], ["exchange_products.id"], name=op.f("fk_exchange_grants_product_id_exchange_products")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_grants")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_exchange_grants_consumer"), "exchange_grants", ["consumer"], unique=False)
    op.create_index("ix_exchange_grants_product_id_state", "exchange_grants", ["product_id", "state"], unique=False)
    op.create_table(
        "exchange_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("offer", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["exchange_products.id"], name=op.f("fk_exchange_versions_product_id_exchange_products")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_versions")),
        sa.UniqueConstraint("product_id", "number", name=op.f("uq_exchange_versions_product_id_number")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "exchange_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("sent_bytes", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["exchange_grants.id"], name=op.f("fk_exchange_calls_grant_id_exchange_grants")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["exchange_products.id"], name=op.f("fk_exchange_calls_product_id_exchange_products")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_calls")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exchange_calls_grant_id_day", "exchange_calls", ["grant_id", "day"], unique=False)
    op.create_index("ix_exchange_calls_product_id_day", "exchange_calls", ["product_id", "day"], unique=False)
    op.create_table(
        "exchange_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["exchange_grants.id"], name=op.f("fk_exchange_tokens_grant_id_exchange_grants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_exchange_tokens_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_exchange_tokens_grant_id"), "exchange_tokens", ["grant_id"], unique=False)
