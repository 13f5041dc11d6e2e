"""The index of waveforms."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the tables one revision forward."""
    op.create_table(
        "waveforms_channels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waveforms_channels")),
        sa.UniqueConstraint("asset", "name", name=op.f("uq_waveforms_channels_asset_name")),
    )
    op.create_table(
        "waveforms_blobs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waveforms_blobs")),
        sa.UniqueConstraint("name", name=op.f("uq_waveforms_blobs_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "waveforms_index",
        sa.Column("id", _ID, nullable=False),
        sa.Column("channel", sa.Integer(), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("rate_hz", sa.Double(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("dtype", sa.String(length=8), nullable=False),
        sa.Column("quantity", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=60), nullable=False),
        sa.Column("scale", sa.Double(), nullable=False),
        sa.Column("offset", sa.Double(), nullable=False),
        sa.Column("quality", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("blob", _ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["blob"], ["waveforms_blobs.id"], name=op.f("fk_waveforms_index_blob_waveforms_blobs")),
        sa.ForeignKeyConstraint(
            ["channel"], ["waveforms_channels.id"], name=op.f("fk_waveforms_index_channel_waveforms_channels")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waveforms_index")),
        sa.UniqueConstraint("channel", "start_us", name=op.f("uq_waveforms_index_channel_start_us")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_waveforms_index_blob"), "waveforms_index", ["blob"], unique=False)
    op.create_index(op.f("ix_waveforms_index_start_us"), "waveforms_index", ["start_us"], unique=False)
