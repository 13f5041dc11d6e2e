"""Accounts and tokens, by whoever owns the server's files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.identity.service import Identity
from athanor.kernel.settings import Settings

ACTOR = "command line"  # in the audit trail


@asynccontextmanager
async def identity_of(settings: Settings) -> AsyncIterator[Identity]:
    """The identity service on the settings' database, also while the server runs."""
    await upgrade(settings.database_url)
    database = Database(settings.database_url)
    try:
        yield Identity(database)
    finally:
        await database.close()


async def make_edge_token(settings: Settings, edge: str) -> str:
    """A new token for an edge."""
    async with identity_of(settings) as identity:
        return await identity.edge_token(edge, actor=ACTOR)


async def set_password(settings: Settings, login: str, password: str) -> None:
    """Raises NotFoundError, WeakPasswordError."""
    async with identity_of(settings) as identity:
        await identity.set_password(login, password, actor=ACTOR)
