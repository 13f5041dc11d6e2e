"""A database as an enterprise's people may use it shows and takes nothing of another one's."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import ForeignKey, delete, insert, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column, relationship

from athanor.kernel.database.database import Database
from athanor.kernel.database.tenancy import ForeignRowError, SeenDatabase, TenantOwned


class Rows(DeclarativeBase):
    """Tables of this test alone."""


class Furnace(TenantOwned, Rows):
    __tablename__ = "furnaces"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Note(TenantOwned, Rows):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    furnace_id: Mapped[int] = mapped_column(ForeignKey("furnaces.id"))
    furnace: Mapped[Furnace] = relationship()


@pytest.fixture
async def whole(database: Database) -> AsyncIterator[Database]:
    async with database.engine.begin() as connection:
        await connection.run_sync(Rows.metadata.create_all)
    async with database.session() as session:
        for number, tenant in enumerate(("copper", "carbon", None), 1):
            session.add(Furnace(id=number, tenant=tenant, name=f"furnace of {tenant}"))
    async with database.session() as session:
        for number in (1, 2):
            session.add(Note(id=number, tenant="copper", furnace_id=number))
    yield database
    async with database.engine.begin() as connection:
        await connection.run_sync(Rows.metadata.drop_all)


@pytest.fixture
def copper(whole: Database) -> SeenDatabase:
    return SeenDatabase(whole, frozenset({"copper"}))


async def names(database: Database) -> set[str]:
    async with database.reading() as session:
        return set(await session.scalars(select(Furnace.name)))


async def test_queries_gets_joins_and_aliases_find_only_own_rows(whole: Database, copper: SeenDatabase) -> None:
    assert len(await names(whole)) == 3
    assert await names(copper) == {"furnace of copper"}
    other = aliased(Furnace)
    async with copper.reading() as session:
        assert await session.get(Furnace, 1) is not None
        assert await session.get(Furnace, 2) is None
        assert (await session.scalars(select(other.name))).all() == ["furnace of copper"]
        joined = select(Note.id).join(Note.furnace)
        assert (await session.scalars(joined)).all() == [1], "a note of ours on another's furnace does not show it"
        exists = select(Note.id).where(select(Furnace.id).where(Furnace.id == 2).exists())
        assert (await session.scalars(exists)).all() == [], "nor does asking whether there is one"


async def test_updates_and_deletes_reach_only_own_rows(whole: Database, copper: SeenDatabase) -> None:
    async with copper.session() as session:
        await session.execute(update(Furnace).values(name="renamed"))
    assert await names(whole) == {"renamed", "furnace of carbon", "furnace of None"}
    async with copper.session() as session:
        await session.execute(delete(Note))
        await session.execute(delete(Furnace))
    assert await names(whole) == {"furnace of carbon", "furnace of None"}


@pytest.mark.parametrize("tenant", ["carbon", None])
async def test_rows_of_others_are_not_taken(whole: Database, copper: SeenDatabase, tenant: str | None) -> None:
    with pytest.raises(ForeignRowError, match="furnaces"):
        async with copper.session() as session:
            session.add(Furnace(tenant=tenant, name="planted"))
    with pytest.raises(ForeignRowError):
        async with copper.session() as session:
            (await session.get_one(Furnace, 1)).tenant = tenant
    with pytest.raises(ForeignRowError):
        async with copper.session() as session:
            await session.execute(insert(Furnace), [{"tenant": tenant, "name": "planted"}])
    assert "planted" not in await names(whole)


async def test_the_park_sees_and_changes_all(whole: Database) -> None:
    async with whole.session() as session:
        (await session.get_one(Furnace, 2)).name = "changed"
    assert "changed" in await names(whole)
