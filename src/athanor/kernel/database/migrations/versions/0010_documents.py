"""Documents: what is kept, in versions, and what it is tied to."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables one revision forward."""
    _create_documents()
    _create_versions()
    _create_links()


def _create_documents() -> None:
    op.create_table(
        "documents_documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("retention", sa.String(), nullable=True),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_by", sa.String(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_by", sa.String(), nullable=True),
        sa.Column("removal", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents_documents")),
        sqlite_autoincrement=True,
    )
    for column in ("tenant", "changed_at", "removed_at"):
        op.create_index(op.f(f"ix_documents_documents_{column}"), "documents_documents", [column])


def _create_versions() -> None:
    op.create_table(
        "documents_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("blob", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("scan", sa.String(length=16), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents_documents.id"],
            name=op.f("fk_documents_versions_document_id_documents_documents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents_versions")),
        sa.UniqueConstraint("document_id", "number", name=op.f("uq_documents_versions_document_id_number")),
        sqlite_autoincrement=True,
    )
    for column in ("tenant", "sha256", "blob", "scan"):
        op.create_index(op.f(f"ix_documents_versions_{column}"), "documents_versions", [column])


def _create_links() -> None:
    op.create_table(
        "documents_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=True),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents_documents.id"],
            name=op.f("fk_documents_links_document_id_documents_documents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents_links")),
        sa.UniqueConstraint("document_id", "kind", "subject", name=op.f("uq_documents_links_document_id_kind_subject")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_documents_links_tenant"), "documents_links", ["tenant"])
    op.create_index(op.f("ix_documents_links_kind_subject"), "documents_links", ["kind", "subject"])
