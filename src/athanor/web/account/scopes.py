"""Which permissions there are, and which of them somebody may give to a program of theirs."""

from collections.abc import Sequence
from functools import cache

from athanor.kernel.apps.registry import manifests
from athanor.kernel.identity.tokens import BadTokenError
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Text

# What the platform's own routes ask for, which no app's manifest lists.
_PLATFORM = ({"en": "Platform", "zh_CN": "平台"}, ("jobs.view", "historian.administer"))


@cache
def _areas() -> Sequence[tuple[Text, tuple[str, ...]]]:
    return (*((one.title, one.permissions) for one in manifests() if one.permissions), _PLATFORM)


def permissions_by_area(viewer: User) -> Sequence[tuple[Text, Sequence[str]]]:
    """The permissions that they have, below the title of the app that asks for them."""
    held = ((title, [one for one in permissions if viewer.may(one)]) for title, permissions in _areas())
    return [(title, permissions) for title, permissions in held if permissions]


def permissions_of(viewer: User) -> list[str]:
    """The permissions that they have."""
    return sorted({one for _title, permissions in permissions_by_area(viewer) for one in permissions})


def check_scopes(viewer: User, scopes: Sequence[str]) -> None:
    """A pattern may reach further than its maker, whose rights limit it anyway; a plain permission may not.

    Raises BadTokenError.
    """
    for scope in scopes:
        if "*" not in scope and not viewer.may(scope):
            raise BadTokenError(f"you may not {scope[:100]!r} yourself, so neither may a program of yours")
