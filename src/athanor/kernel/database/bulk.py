"""One statement for many rows, past the work that SQLAlchemy does for each: for tens of thousands at a time.

It is worth while from some thousands of rows on; all else goes the usual way. Values are what the tables' types take:
aware times, JSON as dicts and lists, and text without NUL, which is not looked for here.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import UpdateBase


async def run(session: AsyncSession, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]) -> None:
    """Do a statement for each row, a value for each of its parameters by name; none for no rows.

    Unlike the session's own `execute` it neither sees to defaults nor to whose a row is: pass a session of the whole
    database. Two names at least.
    """
    if not rows:
        return
    connection = await session.connection()
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(rows[0]))
    encoded = _for_sqlite if connection.dialect.name == "sqlite" else _for_postgresql
    in_order = itemgetter(*(compiled.positiontup or ()))
    await connection.exec_driver_sql(str(compiled), [tuple(map(encoded, in_order(row))) for row in rows])


def _for_sqlite(value: Any) -> Any:
    if type(value) is datetime:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return _for_postgresql(value)


def _for_postgresql(value: Any) -> Any:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode() if isinstance(value, dict | list) else value
