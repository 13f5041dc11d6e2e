"""Many rows by one statement are the rows that the usual way writes."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from athanor.kernel.database.bulk import run
from athanor.kernel.database.database import Database
from athanor.kernel.notify.tables import NoticeRow

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "key": f"key-{number}",
        "topic": "t",
        "subject": "熔池 \u2019s",
        "path": "",
        "priority": 2,
        "category": "process",
        "text": {"title": {"en": "a"}, "n": [1, None]},
        "link": "",
        "logins": ["anna"],
        "is_late": True,
        "is_over": False,
        "tenant": None,
        "at": NOON.astimezone(timezone(timedelta(hours=8))),
        "made_at": NOON,
        "routed_at": None,
        **fields,
    }


async def test_rows_are_as_the_usual_way_writes_them(database: Database) -> None:
    async with database.session() as session:
        await run(session, insert(NoticeRow), [row(1)])
        await session.execute(insert(NoticeRow), [row(2)])
        await run(session, insert(NoticeRow), [])
    async with database.reading() as session:
        one, two = (await session.scalars(select(NoticeRow).order_by(NoticeRow.key))).all()
    names = set(NoticeRow.__table__.columns.keys()) - {"id", "key"}
    assert [getattr(one, name) for name in names] == [getattr(two, name) for name in names]
    assert (one.at, one.text["n"], one.routed_at) == (NOON, [1, None], None)


async def test_each_row_is_changed_by_its_own_values(database: Database) -> None:
    changed = update(NoticeRow.__table__).where(NoticeRow.__table__.c.key == bindparam("of"))  # type: ignore[arg-type]
    changed = changed.values(routed_at=bindparam("when"), is_over=bindparam("over"))
    async with database.session() as session:
        await run(session, insert(NoticeRow), [row(number) for number in range(3)])
        rows = [{"of": f"key-{number}", "when": NOON, "over": number == 0} for number in range(2)]
        await run(session, changed, rows)
    async with database.reading() as session:
        found = (await session.execute(select(NoticeRow.routed_at, NoticeRow.is_over).order_by(NoticeRow.key))).all()
    assert [tuple(one) for one in found] == [(NOON, True), (NOON, False), (None, False)]
