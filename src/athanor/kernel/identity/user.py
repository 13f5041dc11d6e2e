"""Who someone is and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache

# Permissions are `<app>.<verb>`, as apps' manifests declare them. What only an administrator may do ends in
# `.administer`, which no pattern below covers.
_OPERATOR = ("*.view", "*.export", "*.operate", "*.edit")
ROLES: Mapping[str, tuple[str, ...]] = {
    "administrator": ("*",),
    # Who answers for figures and for what is an alarm: shift leaders, energy managers, laboratories, instrumentation.
    "engineer": (*_OPERATOR, "*.correct", "*.import", "*.publish", "*.configure", "*.maintain"),
    "operator": _OPERATOR,
    "viewer": ("*.view",),
}


@dataclass(frozen=True, slots=True)
class Share:
    """What a tenant lets somebody see of its own, as it holds now: the tags of some kinds in a part of the plant."""

    tenant: str  # whose it is
    area: str  # path of a node; it and all below it
    kinds: frozenset[str] = frozenset()  # of tags, a TagKind; empty: all
    data_from: datetime | None = None  # nothing older is seen; None: all there is


@dataclass(frozen=True, slots=True)
class User:
    """A person who has signed in, or a program that acts for one.

    Parameters
    ----------
    roles
        Keys of ROLES, and names of roles made here.
    made_here
        The permission patterns of the latter.
    scopes
        Permission patterns that a program's token is limited to; None for a person.
    shares
        What other tenants let theirs see.
    """

    id: int
    login: str
    name: str
    roles: tuple[str, ...]
    tenant: str | None = None  # None: the park's own people, who see every tenant
    language: str | None = None  # such as zh_CN; None: the server's
    made_here: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None
    shares: tuple[Share, ...] = ()

    def may(self, permission: str) -> bool:
        """Whether one of their roles grants `permission`, and their token's scopes hold it."""
        return _grants(self.roles, self.made_here, permission) and (
            self.scopes is None or _covers(self.scopes, permission)
        )

    @property
    def role(self) -> str:
        """Their roles, for a sentence."""
        return ", ".join(self.roles)

    @property
    def rights(self) -> tuple[object, ...]:
        """What they may do and see: another value, once that changes."""
        return self.roles, self.made_here, self.tenant, self.shares

    @property
    def tenants(self) -> frozenset[str] | None:
        """Whose data they may see; None for everybody's."""
        return None if self.tenant is None else frozenset({self.tenant})


@lru_cache(maxsize=4096)
def _grants(roles: tuple[str, ...], made_here: frozenset[str], permission: str) -> bool:
    return any(_covers(frozenset(ROLES.get(role, ())), permission) for role in roles) or _covers(made_here, permission)


@lru_cache(maxsize=4096)
def _covers(patterns: frozenset[str], permission: str) -> bool:
    return any(fnmatchcase(permission, pattern) for pattern in patterns)
