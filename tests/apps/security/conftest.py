"""People who really sign in, on both databases."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from cryptography.fernet import Fernet

from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.bus.port import Event
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.identity.passwords import Passwords
from athanor.kernel.identity.service import Identity
from athanor.kernel.ingest.sources import SourceStates
from athanor.kernel.transport import Transport
from athanor.kernel.vault import Vault

PASSWORD = "correct horse battery"
PEOPLE = {"anna": ("administrator", None), "chen": ("administrator", "copper"), "vera": ("viewer", "copper")}
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class House:
    """An identity, a bus that is listened to, edges, and a clock."""

    def __init__(self, database: Database) -> None:
        self.time = datetime(2026, 5, 4, 8, tzinfo=UTC)
        self.database = database
        self.identity = Identity(
            database, Vault(Fernet.generate_key()), passwords=Passwords(_QUICK), now=lambda: self.time
        )
        self.bus = MemoryBus()
        self.sources = SourceStates()
        self.transport = Transport("127.0.0.1")
        self.heard: list[Event] = []

    async def listen(self, *topics: str) -> None:
        async def hear(event: Event) -> None:
            self.heard.append(event)

        for topic in topics:
            self.bus.subscribe(topic, hear, name="test")

    async def user(self, login: str):
        return await self.identity.sessions.user_of(await self.identity.sessions.open(login, actor="test"))

    def forward(self, **duration: float) -> None:
        self.time += timedelta(**duration)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    await upgrade(database_url)
    database = Database(database_url)
    made = House(database)
    for login, (role, tenant) in PEOPLE.items():
        await made.identity.accounts.create(login, Profile(login.title(), (role,), tenant), PASSWORD, actor="test")
    yield made
    await made.bus.close()
    await database.close()
