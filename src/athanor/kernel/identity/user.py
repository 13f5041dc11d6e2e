"""Who someone is and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

# Permissions are `<app>.<verb>`, as apps' manifests declare them. What only an administrator may do ends in
# `.administer`, which no pattern below covers.
_OPERATOR = ("*.view", "*.export", "*.operate", "*.edit")
ROLES: Mapping[str, tuple[str, ...]] = {
    "administrator": ("*",),
    # Who answers for figures: shift leaders, energy managers, laboratories.
    "engineer": (*_OPERATOR, "*.correct", "*.import", "*.publish"),
    "operator": _OPERATOR,
    "viewer": ("*.view",),
}


@dataclass(frozen=True, slots=True)
class User:
    """A person who has signed in."""

    id: int
    login: str
    name: str
    role: str  # a key of ROLES
    tenant: str | None = None  # None: the park's own people, who see every tenant
    language: str | None = None  # such as zh_CN; None: the server's

    def may(self, permission: str) -> bool:
        """Whether their role grants `permission`."""
        return _grants(self.role, permission)

    @property
    def tenants(self) -> frozenset[str] | None:
        """Whose data they may see; None for everybody's."""
        return None if self.tenant is None else frozenset({self.tenant})


@lru_cache(maxsize=4096)
def _grants(role: str, permission: str) -> bool:
    return any(fnmatchcase(permission, pattern) for pattern in ROLES.get(role, ()))
