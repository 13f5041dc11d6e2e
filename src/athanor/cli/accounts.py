"""Accounts and tokens, from the command line."""

from athanor.kernel.settings import Settings
from athanor.platform import open_identity

ACTOR = "command line"  # in the audit trail


async def make_edge_token(settings: Settings, edge: str) -> str:
    """A new token for an edge."""
    async with open_identity(settings) as identity:
        return await identity.edges.make(edge, actor=ACTOR)


async def set_password(settings: Settings, login: str, password: str) -> None:
    """Raises NotFoundError, WeakPasswordError."""
    async with open_identity(settings) as identity:
        await identity.accounts.set_password(login, password, actor=ACTOR)


async def remove_second_factor(settings: Settings, login: str) -> None:
    """Raises NotFoundError."""
    async with open_identity(settings) as identity:
        await identity.second_factors.remove(login, actor=ACTOR)
