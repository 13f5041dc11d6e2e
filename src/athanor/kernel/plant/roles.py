"""Roles: what apps may use a tag for. Any app may define its own; these are the ones that the kernel checks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

ROLE_SHAPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


@dataclass(frozen=True, slots=True)
class RoleRule:
    """What a tag must be to play a role."""

    meaning: str
    most_for_a_tenant: int
    unit: str | None = None  # the tag's own must convert into it


ROLES: Mapping[str, RoleRule] = {
    "tenant.power": RoleRule("Total active power of an enterprise.", most_for_a_tenant=1, unit="kW"),
    "tenant.production": RoleRule("Main production rate or today's output of an enterprise.", most_for_a_tenant=2),
}
