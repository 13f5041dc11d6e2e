"""Roles: what each may do, and making those of the park's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from athanor.apps.people.domain.rights import Granted, granted
from athanor.apps.people.services.acting import Acting
from athanor.apps.people.services.errors import AboveYouError
from athanor.apps.people.services.rights import holds
from athanor.kernel.apps.registry import manifests
from athanor.kernel.identity.roles import BadRoleError, Role
from athanor.kernel.identity.user import ROLES
from athanor.kernel.plant.model import Text

_TITLE_LENGTH = 100
_FOR_THE_PARK = "Roles hold in the whole park, so only the park's administrators make, change and remove them."


@dataclass(frozen=True, slots=True)
class Area:
    """What one app asks for."""

    id: str
    title: Text
    permissions: Sequence[str]


# What the platform's own routes ask for, which no app's manifest lists.
_PLATFORM = Area("platform", {"en": "Platform", "zh_CN": "平台"}, ("jobs.view", "historian.administer"))


@dataclass(frozen=True, slots=True)
class Matrix:
    """Which role may do what, wherever there is anything to be allowed."""

    areas: Sequence[Area]
    roles: Sequence[Role]
    granted: Sequence[Granted]  # one for each role, in their order

    @property
    def verbs(self) -> Sequence[str]:
        """All that permissions end in, in order of first use."""
        return tuple(dict.fromkeys(one.rpartition(".")[2] for area in self.areas for one in area.permissions))


async def roles(acting: Acting) -> Sequence[Role]:
    """All there are. Raises NotYoursError."""
    acting.check()
    return await acting.identity.roles.all()


async def givable_roles(acting: Acting) -> Sequence[Role]:
    """Those that they may give: that grant no more than they may. Raises NotYoursError."""
    return [role for role in await roles(acting) if holds(acting.viewer, role.permissions)]


async def matrix(acting: Acting) -> Matrix:
    """What every role may do. Raises NotYoursError."""
    known = await roles(acting)
    areas = _areas()
    everything = [permission for area in areas for permission in area.permissions]
    return Matrix(areas, known, [granted(role.name, role.permissions, everything) for role in known])


async def keep(acting: Acting, role: Role) -> None:
    """Make a role, or change one made here; it holds from the next request on.

    Raises NotYoursError, AboveYouError, BadRoleError.
    """
    acting.check_park(_FOR_THE_PARK)
    title = {language: text.strip() for language, text in role.title.items() if text.strip()}
    if any(len(text) > _TITLE_LENGTH or not text.isprintable() for text in title.values()):
        raise BadRoleError(role.name, f"its title has 1 to {_TITLE_LENGTH} printable characters")
    if not role.permissions:
        raise BadRoleError(role.name, "it grants nothing; choose at least one permission")
    before = await _made_here(acting, role.name)
    _check_below(acting, role)
    if before is not None:
        _check_below(acting, before)
    permissions = tuple(dict.fromkeys(role.permissions))
    await acting.identity.roles.keep(Role(role.name, title, permissions), actor=acting.login, address=acting.address)


async def make(acting: Acting, role: Role) -> None:
    """As `keep`, for a name that is free. Raises BadRoleError."""
    acting.check_park(_FOR_THE_PARK)
    if await _made_here(acting, role.name) is not None:
        raise BadRoleError(role.name, "there is one of this name; change that one, or choose another name")
    await keep(acting, role)


async def remove(acting: Acting, name: str) -> None:
    """Remove a role made here that nobody has or is invited to.

    Raises NotYoursError, AboveYouError, NotFoundError, BadRoleError.
    """
    acting.check_park(_FOR_THE_PARK)
    if name in ROLES:
        raise BadRoleError(name, "it is built in and stays as it is")
    before = await _made_here(acting, name)
    if before is not None:
        _check_below(acting, before)
    invited = [one.login for one in await acting.identity.invitations.open() if name in one.profile.roles]
    if invited:
        raise BadRoleError(name, f"{', '.join(invited[:5])} are invited to it; withdraw that first")
    await acting.identity.roles.remove(name, actor=acting.login, address=acting.address)


async def _made_here(acting: Acting, name: str) -> Role | None:
    known = await acting.identity.roles.all()
    return next((role for role in known if role.name == name and not role.is_built_in), None)


def _check_below(acting: Acting, role: Role) -> None:
    if not holds(acting.viewer, role.permissions):
        raise AboveYouError(f"The role {role.name!r}")


@cache
def _areas() -> Sequence[Area]:
    """Every app that is installed, in the order of the navigation; that never changes while the server runs."""
    apps = (Area(one.id, one.title, one.permissions) for one in manifests() if one.permissions)
    return (*apps, _PLATFORM)
