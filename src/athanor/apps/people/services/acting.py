"""Who acts, and what they may act upon: the one place that is asked before identity is used."""

from collections.abc import Sequence
from dataclasses import dataclass

from athanor.apps.people.services.errors import AboveYouError, NotYoursError
from athanor.apps.people.services.rights import holds
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.accounts import ADMINISTER, Account, may_administer
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import ROLES, User
from athanor.kernel.plant.running import RunningPlant


@dataclass(frozen=True, slots=True)
class Acting:
    """Somebody who administers people.

    Parameters
    ----------
    identity
        What they do it with. Nothing is done with it before one of the checks below.
    viewer
        Who they are.
    plant
        The plant as they see it; its tenants are the enterprises that they may put people into.
    address
        Where they sit, for the audit trail.
    """

    identity: Identity
    viewer: User
    plant: RunningPlant
    address: str = ""

    @property
    def login(self) -> str:
        return self.viewer.login

    @property
    def is_of_the_park(self) -> bool:
        """Whether they administer the whole park: its roles, its own people, every enterprise's."""
        return may_administer(self.viewer, None)

    def check(self) -> None:
        """Whether they administer anybody at all. Raises NotYoursError."""
        if not self.viewer.may(ADMINISTER):
            raise NotYoursError(f"Your role ({self.viewer.role}) does not administer people.")

    def check_park(self, what: str) -> None:
        """`what` is a sentence that says who may. Raises NotYoursError."""
        if not self.is_of_the_park:
            raise NotYoursError(what)

    def check_tenant(self, tenant: str | None) -> None:
        """Whether they may put somebody, or a department, there.

        Raises NotFoundError for an enterprise that they do not see, NotYoursError for the park's own people.
        """
        self.check()
        if tenant is None:
            self.check_park("Only the park's administrators make people of the park.")
        elif not may_administer(self.viewer, tenant) or tenant not in self.plant.model.tenants:
            raise NotFoundError("enterprise", tenant)

    async def account(self, login: str) -> Account:
        """An account that they administer. Raises NotYoursError, and NotFoundError, also for somebody else's."""
        self.check()
        account = await self.identity.accounts.account(login)
        if not may_administer(self.viewer, account.profile.tenant):
            raise NotFoundError("user", login)
        return account

    async def below(self, login: str) -> Account:
        """An account that they may change: one that may no more than they. Raises as `account`, AboveYouError."""
        account = await self.account(login)
        if account.login != self.viewer.login:
            await self.check_roles(account.profile.roles)
        return account

    async def may_handle(self, account: Account) -> bool:
        """Whether `below` would give it."""
        if not may_administer(self.viewer, account.profile.tenant):
            return False
        return account.login == self.viewer.login or holds(self.viewer, await self._patterns(account.profile.roles))

    async def check_roles(self, roles: Sequence[str]) -> None:
        """Whether they may do all that these roles grant. Raises AboveYouError."""
        for role in roles:
            if not holds(self.viewer, await self._patterns([role])):
                raise AboveYouError(f"The role {role!r}")

    async def _patterns(self, roles: Sequence[str]) -> frozenset[str]:
        made_here = await self.identity.roles.granted_by(roles)
        return made_here | {pattern for role in roles for pattern in ROLES.get(role, ())}
