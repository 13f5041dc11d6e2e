"""Databases as earlier versions left them: brought to a revision, and filled with rows by plain SQL.

People, the audit trail and the plant have rows of their own here, since what they mean is looked at after an upgrade.
Every other table gets a row whose values are made after its columns: what an upgrade does to it is compared.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from alembic import command
from argon2 import PasswordHasher
from sqlalchemy import Connection, MetaData, Table, TextClause, inspect, text
from sqlalchemy import types as kinds

from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import _config, _scripts
from athanor.kernel.identity.audit import NOTHING, chained

AT = datetime(2026, 3, 29, 22, 30, 15, 123456, UTC)
PASSWORD = "correct horse battery"
PEOPLE = {"anna": ("administrator", None), "chen": ("viewer", "copper")}  # login to role and tenant
ENTRIES = [("anna", "identity.user-created", "chen"), ("chen", "identity.signed-in", ""), ("anna", "plant.loaded", "7")]
_HASH = PasswordHasher().hash(PASSWORD)
_PEOPLE_SINCE = "0008"  # several roles, and the audit trail is a chain

Rows = Mapping[str, list[dict[str, Any]]]


def revisions() -> list[str]:
    """Every revision that there is, the first one first."""
    return sorted(one.revision for one in _scripts().walk_revisions())


async def bring_to(database: Database, revision: str) -> None:
    """Migrate to a revision, as the version that had it as its newest did."""

    def migrate(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with database.engine.begin() as connection:
        await connection.run_sync(migrate)


async def fill(database: Database, revision: str) -> None:
    """Put rows into every table of a revision."""

    def write(connection: Connection) -> None:
        tables = MetaData()
        tables.reflect(connection)
        _fill_people(connection, tables, revision)
        _fill_plant(connection, tables)
        _fill_others(connection, tables)

    async with database.engine.begin() as connection:
        await connection.run_sync(write)


async def rows_of(database: Database) -> Rows:
    """What is in every table, as it lies there."""

    def read(connection: Connection) -> Rows:
        return {
            name: sorted((dict(row) for row in connection.execute(_all_of(name)).mappings()), key=str)
            for name in inspect(connection).get_table_names()
        }

    async with database.engine.connect() as connection:
        return await connection.run_sync(read)


def _all_of(table: str) -> TextClause:
    return text(f'SELECT * FROM "{table}"')  # noqa: S608 a table's own name


async def shape_of(database: Database) -> Any:
    """Tables, columns, indexes and triggers, to compare."""

    def read(connection: Connection) -> Any:
        if connection.dialect.name == "sqlite":
            return sorted(connection.execute(text("SELECT name, sql FROM sqlite_master")).all(), key=str)
        looked = inspect(connection)
        triggers = connection.execute(text("SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal"))
        return [
            sorted(
                (name, str(looked.get_columns(name)), str(looked.get_indexes(name)))
                for name in looked.get_table_names()
            ),
            sorted(triggers.all()),
        ]

    async with database.engine.connect() as connection:
        return await connection.run_sync(read)


def _fill_people(connection: Connection, tables: MetaData, revision: str) -> None:
    for number, (login, (role, tenant)) in enumerate(PEOPLE.items(), start=1):
        row = {"id": number, "login": login, "name": login.title(), "tenant": tenant, "language": "en"}
        row |= {"password_hash": _HASH, "created_at": AT}
        row |= {"role": role} if revision < _PEOPLE_SINCE else {"roles": [role]}
        _insert(connection, tables.tables["identity_users"], row)
    chain = NOTHING
    for number, (actor, action, subject) in enumerate(ENTRIES, start=1):
        row = {"id": number, "at": AT, "actor": actor, "action": action, "subject": subject, "address": "10.0.0.7"}
        row |= {"detail": {"größe": 1.5, "list": [number, None]}}
        if revision >= _PEOPLE_SINCE:
            chain = chained(chain, row)
            row |= {"chain": chain}
        _insert(connection, tables.tables["identity_audit"], row)
    if revision >= _PEOPLE_SINCE:
        connection.execute(
            text("UPDATE identity_audit_head SET rows = :rows, chain = :chain"), {"rows": len(ENTRIES), "chain": chain}
        )
    if connection.dialect.name == "postgresql":  # ids given by hand are not counted
        for table in ("identity_users", "identity_audit"):
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"))  # noqa: S608


def _fill_plant(connection: Connection, tables: MetaData) -> None:
    name = {"en": "Park", "zh_CN": "园区"}
    park = {"id": "park", "name": name, "timezone": "Asia/Shanghai", "version": 7, "stored_at": AT}
    _insert(connection, tables.tables["plant_park"], park)
    _insert(connection, tables.tables["plant_tenants"], {"id": "copper", "place": 0, "name": name})
    node = {"path": "smelter", "place": 0, "level": "site", "name": name, "tenant": "copper"}
    _insert(connection, tables.tables["plant_nodes"], node)
    _insert(connection, tables.tables["plant_tags"], {"id": 41, "path": "smelter.power"})
    _insert(connection, tables.tables["plant_tags"], {"id": 42, "path": "smelter.gone", "retired_at": AT})
    tag = {"tag": 41, "place": 0, "node": "smelter", "name": name, "unit": "kW", "kind": "analog", "decimals": 1}
    _insert(
        connection, tables.tables["plant_tag_definitions"], tag | {"states": {}, "high_limit": 900.5, "period_s": 1.0}
    )


def _insert(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """One row; what is not given is the column's default, as it was for the version that wrote it."""
    connection.execute(table.insert().values(_as_columns_take_it(table, row)))


def _as_columns_take_it(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    is_naive = {column.name for column in table.columns if not getattr(column.type, "timezone", False)}
    return {
        name: value.replace(tzinfo=None) if isinstance(value, datetime) and name in is_naive else value
        for name, value in row.items()
    }


def _fill_others(connection: Connection, tables: MetaData) -> None:
    """A row for every table that has none, parents first."""
    for table in tables.sorted_tables:
        if table.name == "alembic_version" or connection.execute(table.select().limit(1)).first() is not None:
            continue
        row: dict[str, Any] = {}
        for column in table.columns:
            if column.foreign_keys:
                parent = next(iter(column.foreign_keys)).column
                row[column.name] = connection.execute(parent.table.select().with_only_columns(parent)).scalar()
            elif not column.nullable:
                row[column.name] = _value_of(column.type)
        connection.execute(table.insert().values(_as_columns_take_it(table, row)))


def _value_of(kind: Any) -> Any:
    """Some value that a column of this type may have."""
    made: tuple[tuple[type, Any], ...] = (
        (kinds.Boolean, True),
        (kinds.Integer, 1),
        (kinds.Float, 1.5),
        (kinds.JSON, {"a": [1, "größe"]}),
        (kinds.DateTime, AT),
        (kinds.Date, date(2026, 3, 29)),
        (kinds.LargeBinary, b"\x00\xff"),
        (kinds.String, "ß" * min(getattr(kind, "length", None) or 8, 8)),
    )
    found = [value for base, value in made if isinstance(kind, base)]
    assert found, f"say here what a {kind!r} may be"
    return found[0]
