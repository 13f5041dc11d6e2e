"""Corrections of stored samples by people. They are kept for ever: the database itself refuses to forget one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLE = "historian_corrections"
_NEVER_CHANGED = "id, tag, action, start_at, end_at, samples, added, change, reason, author, made_at"
_REFUSE_SQLITE = f"""
CREATE TRIGGER {_TABLE}_{{verb}} BEFORE {{event}} ON {_TABLE}
BEGIN SELECT RAISE(ABORT, 'Corrections are kept for ever.'); END
"""
_REFUSE_POSTGRESQL = (
    f"""
    CREATE FUNCTION {_TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'Corrections are kept for ever.'; END $$
    """,
    f"""
    CREATE TRIGGER {_TABLE}_for_ever BEFORE UPDATE OF {_NEVER_CHANGED} OR DELETE OR TRUNCATE ON {_TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION {_TABLE}_refuse()
    """,
)


def upgrade() -> None:
    """Bring the tables one revision forward."""
    _create_table()
    if op.get_bind().dialect.name == "sqlite":
        for verb, event in (("update", f"UPDATE OF {_NEVER_CHANGED}"), ("delete", "DELETE")):
            op.execute(_REFUSE_SQLITE.format(verb=verb, event=event))
    else:
        for statement in _REFUSE_POSTGRESQL:
            op.execute(statement)


def _create_table() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.Integer(), nullable=False),
        sa.Column("action", sa.JSON(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("change", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("undo_reason", sa.String(), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restored", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["tag"], ["plant_tags.id"], name=op.f(f"fk_{_TABLE}_tag_plant_tags")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_TABLE}")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f(f"ix_{_TABLE}_tag_start_at"), _TABLE, ["tag", "start_at"], unique=False)
