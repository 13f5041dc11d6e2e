"""The rows of alarms: made in bulk for what the rules come to, and marked once nothing judges them any more."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.tables import AlarmRow, HeadRow
from athanor.kernel.database.database import Database

_Row = TypeVar("_Row")
Place = tuple[int, str]  # rule and path

_PIECE = 10_000  # rows written at a time
_TOLD = ("priority", "category", "tenant", "is_judged")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An alarm that a rule makes: which rule, what it is told as, whose it is."""

    rule: int
    category: str
    tenant: str
    instance: Instance


class AlarmRows:
    """Keeps the table of alarms in step with the rules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settle(self, wanted: Sequence[Wanted], reported: Collection[int] = ()) -> list[Instance]:
        """The instances with the ids of their rows. Several servers may do this at once.

        Alarms of the rules `reported` are made by whoever reports them, and stay.
        """
        known = await self._known()
        missing = [one for one in wanted if (one.rule, one.instance.path) not in known]
        if missing:
            async with self._database.session() as session:
                for piece in _pieces(missing):
                    await _insert(session, [_fresh(one) for one in piece])
            known = await self._known()
        await self._adapt(wanted, known, reported)
        return [replace(one.instance, alarm=known[one.rule, one.instance.path].id) for one in wanted]

    async def _known(self) -> Mapping[Place, Any]:
        columns = AlarmRow.id, AlarmRow.rule_id, AlarmRow.path, AlarmRow.priority, AlarmRow.category
        query = select(*columns, AlarmRow.tenant, AlarmRow.is_judged)
        async with self._database.reading() as session:
            return {(row.rule_id, row.path): row for row in await session.execute(query)}

    async def _adapt(self, wanted: Sequence[Wanted], known: Mapping[Place, Any], reported: Collection[int]) -> None:
        """Let rows say what their rule says now, and whether anything judges them."""
        changed, places = [], set()
        for one in wanted:
            place = one.rule, one.instance.path
            places.add(place)
            row = known[place]
            if (row.priority, row.category, row.tenant, row.is_judged) != _told(one):
                changed.append({"id": row.id} | dict(zip(_TOLD, _told(one), strict=True)))
        gone = [
            row.id for place, row in known.items() if row.is_judged and place not in places and place[0] not in reported
        ]
        if changed or gone:
            async with self._database.session() as session:
                await _change(session, changed, gone)


async def _change(session: AsyncSession, changed: Sequence[dict[str, Any]], gone: Sequence[int]) -> None:
    """Rows are locked before the head, as everywhere."""
    for piece in _pieces(sorted([*gone, *(one["id"] for one in changed)])):
        await session.execute(select(AlarmRow.id).where(AlarmRow.id.in_(piece)).order_by(AlarmRow.id).with_for_update())
    head = update(HeadRow).where(HeadRow.id == 1).values(revision=HeadRow.revision + 1)
    revision = (await session.execute(head.returning(HeadRow.revision))).scalar_one()
    for some in _pieces(changed):
        await session.execute(update(AlarmRow), [one | {"revision": revision} for one in some])
    for piece in _pieces(gone):
        await session.execute(
            update(AlarmRow).where(AlarmRow.id.in_(piece)).values(is_judged=False, revision=revision),
            execution_options={"synchronize_session": False},
        )


async def _insert(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    connection = await session.connection()
    await connection.execute(dialect.insert(AlarmRow.__table__).on_conflict_do_nothing(), rows)


def _fresh(one: Wanted) -> dict[str, Any]:
    return {
        "rule_id": one.rule,
        "path": one.instance.path,
        "state": State.NORM.value,
        "is_active": False,
        "is_suppressed": False,
        "out_of_service_reason": "",
        "hidden_reason": "",
        "judged_us": 0,
        "suppressed_us": 0,
        "revision": 0,
    } | dict(zip(_TOLD, _told(one), strict=True))


def _told(one: Wanted) -> tuple[int, str, str, bool]:
    return int(one.instance.priority), one.category, one.tenant, True


def _pieces(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    return (rows[start : start + _PIECE] for start in range(0, len(rows), _PIECE))
