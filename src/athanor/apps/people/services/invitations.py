"""Invitations that still open something."""

from collections.abc import Sequence

from athanor.apps.people.services.acting import Acting
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.accounts import may_administer
from athanor.kernel.identity.invitations import Invitation


async def open_invitations(acting: Acting) -> Sequence[Invitation]:
    """Those of the enterprises that they administer, the newest first. Raises NotYoursError."""
    acting.check()
    known = await acting.identity.invitations.open(acting.viewer.tenants)
    return [one for one in known if may_administer(acting.viewer, one.profile.tenant)]


async def withdraw(acting: Acting, number: int) -> None:
    """Let a link open nothing. Raises NotFoundError, NotYoursError, AboveYouError."""
    found = next((one for one in await open_invitations(acting) if one.id == number), None)
    if found is None:
        raise NotFoundError("invitation", str(number))
    await acting.check_roles(found.profile.roles)
    await acting.identity.invitations.withdraw(found.id, actor=acting.login, address=acting.address)
