"""What somebody may do, beside what would be given or changed."""

from collections.abc import Iterable

from athanor.apps.people.domain.rights import covers
from athanor.kernel.identity.user import ROLES, User


def holds(viewer: User, patterns: Iterable[str]) -> bool:
    """Whether they may themselves do all that these patterns grant; a program, within its token's scopes."""
    asked = tuple(patterns)
    own = {*viewer.made_here, *(pattern for role in viewer.roles for pattern in ROLES.get(role, ()))}
    return covers(own, asked) and (viewer.scopes is None or covers(viewer.scopes, asked))
