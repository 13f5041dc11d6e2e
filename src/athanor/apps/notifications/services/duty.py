"""People of duty rosters: what they are called, and which there are to choose among."""

from athanor.kernel.identity.service import Identity


async def names_of(identity: Identity, tenant: str | None) -> dict[str, str]:
    """By login, the names of people who may stand in a roster of an enterprise, or of the park: any of them."""
    accounts = await identity.accounts.accounts(None if tenant is None else frozenset({tenant}))
    return {one.login: one.profile.name or one.login for one in accounts if one.disabled_at is None}
