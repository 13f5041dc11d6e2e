"""Whether somebody's rights hold all of another's. Rights are permission patterns: `energy.view`, `*.view`, `*`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase


def covers(held: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether whoever holds some patterns holds all that others grant.

    A pattern's own `*` only matches where the one that is held has a `*` too, so all that it stands for is matched as
    well. What is held by two patterns together, but by neither alone, counts as not held.
    """
    known = tuple(held)
    return all(any(fnmatchcase(pattern, one) for one in known) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Granted:
    """What one role grants of a list of permissions."""

    role: str
    permissions: frozenset[str]


def granted(role: str, patterns: Sequence[str], permissions: Iterable[str]) -> Granted:
    """Those of the permissions that the patterns of a role match."""
    return Granted(role, frozenset(one for one in permissions if covers(patterns, [one])))
