"""Who may do what with which product."""

from athanor.apps.exchange.models import GrantRow, ProductRow
from athanor.apps.exchange.services.errors import NotYoursError
from athanor.kernel.identity.user import User


def decides(viewer: User, owner: str) -> bool:
    """Whether they answer for an enterprise's data: its own people, or an administrator of the park in their stead."""
    stands_in = viewer.tenant is None and viewer.may("exchange.administer")
    return viewer.may("exchange.publish") and (viewer.tenant == owner or stands_in)


def check_decides(viewer: User, owner: str) -> None:
    """Raises NotYoursError."""
    if not decides(viewer, owner):
        raise NotYoursError(f"only {owner} decides about its data. Ask them.")


def sees_inside(viewer: User, product: ProductRow) -> bool:
    """Whether they see everybody's requests, grants and calls: the owner's people and the park's."""
    return viewer.tenant is None or viewer.tenant == product.owner


def sees_grant(viewer: User, product: ProductRow, grant: GrantRow) -> bool:
    """Whether they see this grant and what was called by it."""
    return sees_inside(viewer, product) or grant.consumer == viewer.tenant


def consumes(viewer: User, grant: GrantRow) -> bool:
    """Whether they act for the consumer: may ask, and hand tokens to programs."""
    return viewer.may("exchange.edit") and grant.consumer == viewer.tenant
