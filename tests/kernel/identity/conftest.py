"""Identity on each database, with a clock that the test moves and hashes that take no time."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from cryptography.fernet import Fernet

from athanor.kernel.database.database import Database
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.identity.passwords import Passwords
from athanor.kernel.identity.service import Identity
from athanor.kernel.vault import Vault

PASSWORD = "correct horse battery"


class Clock:
    """What the time is, as the test says."""

    def __init__(self) -> None:
        self.time = datetime(2024, 2, 29, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **duration: float) -> None:
        self.time += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def people(database: Database, clock: Clock) -> Identity:
    """Anna, an operator of copper, and Otto, the park's administrator."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # Argon2id all the same
    service = Identity(database, Vault(Fernet.generate_key()), passwords=Passwords(quick), now=clock)
    await service.accounts.create("anna", Profile("Anna", ("operator",), "copper"), PASSWORD, actor="test")
    await service.accounts.create("otto", Profile("Otto", ("administrator",)), PASSWORD, actor="test")
    return service
