"""Whose a row is, held in one place: a database as a viewer may use it shows and takes no other tenant's rows.

A table whose rows belong to a tenant is made of `TenantOwned`. Pages and routes are handed `SeenDatabase`; what runs
for everybody, such as jobs, has the whole `Database`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column, with_loader_criteria

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotAllowedError

_TENANTS = "athanor_tenants"


class ForeignRowError(NotAllowedError):
    """A row of another tenant would be written."""

    code = "database.foreign-row"

    def __init__(self, table: str, tenant: str | None) -> None:
        whose = "the park" if tenant is None else tenant
        super().__init__(f"A row of {table} that belongs to {whose} cannot be written by somebody of another tenant.")


class TenantOwned:
    """Mixin of tables whose rows belong to a tenant, or to the park where it is None."""

    tenant: Mapped[str | None] = mapped_column(index=True)


class SeenDatabase(Database):
    """A database as somebody may use it: rows of other tenants, and the park's, are as if they were not there.

    Holds for what goes through the mapped classes: queries, joins, updates, deletes by `select(Row)` and the like,
    `session.get`, lazy loads, and new and changed rows. SQL that is written as text is not looked into; bulk inserts
    are refused.
    """

    def __init__(self, whole: Database, tenants: frozenset[str]) -> None:
        self.url = whole.url
        self._engine = whole.engine
        self._tenants = tenants

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """As `Database.session`. Raises ForeignRowError when a row of somebody else's would be written."""
        async with super().session() as session:
            session.info[_TENANTS] = self._tenants
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """As `Database.reading`."""
        async with super().reading() as session:
            session.info[_TENANTS] = self._tenants
            yield session

    async def close(self) -> None:
        """Nothing: it is the whole one's to close."""


@event.listens_for(Session, "do_orm_execute")
def _hide(state: ORMExecuteState) -> None:
    tenants = state.session.info.get(_TENANTS)
    mapper = state.bind_mapper
    if tenants is not None and state.is_insert and mapper is not None and issubclass(mapper.class_, TenantOwned):
        raise ForeignRowError(str(mapper.local_table), None)
    if tenants is not None and (state.is_select or state.is_update or state.is_delete):
        own = sorted(tenants)
        state.statement = state.statement.options(
            with_loader_criteria(TenantOwned, lambda row: row.tenant.in_(own), include_aliases=True)
        )


@event.listens_for(Session, "before_flush")
def _refuse(session: Session, _context: object, _instances: object) -> None:
    tenants = session.info.get(_TENANTS)
    if tenants is None:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, TenantOwned) and row.tenant not in tenants:
            raise ForeignRowError(type(row).__tablename__, row.tenant)  # type: ignore[attr-defined]
