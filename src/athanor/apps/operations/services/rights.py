"""Who looks after the house: the park's administrators. Everybody else sees their own jobs."""

from athanor.kernel.identity.user import User


def looks_after_all(viewer: User) -> bool:
    """Whether services, schedules and the log of all enterprises are this person's to see and change."""
    return viewer.may("operations.administer") and viewer.tenants is None
