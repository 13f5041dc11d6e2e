"""What is asked of a person's profile before it is kept."""

import re

from athanor.apps.people.services.acting import Acting
from athanor.apps.people.services.errors import BadProfileError
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.accounts import Profile, folded

RESERVED = frozenset({"departments", "invitations", "onboarding", "roles"})  # pages beside people's own
_LOGIN = re.compile(r"[^\W_][\w.@+-]{0,99}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_LENGTH = 200


def checked_login(login: str) -> str:
    """A new login as it is kept. Raises BadProfileError."""
    if len(login.strip()) > 100 or not _LOGIN.fullmatch(known := folded(login)):
        raise BadProfileError("a login has 1 to 100 letters, digits and . @ + - _, and begins with a letter or a digit")
    if known in RESERVED:
        raise BadProfileError(f"the login {known!r} is the name of a page; choose another one")
    return known


async def checked(acting: Acting, profile: Profile, *, before: Profile | None = None) -> Profile:
    """A profile that may be kept, without blanks around its texts; `before` is the one that it replaces.

    Raises BadProfileError, AboveYouError, NotYoursError, and NotFoundError for an enterprise, department or role that
    is not there for who acts.
    """
    kept = Profile(
        name=profile.name.strip(),
        roles=tuple(dict.fromkeys(profile.roles)),
        tenant=profile.tenant or None,
        department_id=profile.department_id,
        post=profile.post.strip(),
        email=profile.email.strip(),
        phone=profile.phone.strip(),
    )
    _check_texts(kept)
    if before is None or kept.tenant != before.tenant:
        acting.check_tenant(kept.tenant)
    await acting.identity.roles.check(kept.roles)
    await acting.check_roles(kept.roles)
    if kept.department_id is not None:
        await _check_department(acting, kept.tenant, kept.department_id)
    return kept


def _check_texts(profile: Profile) -> None:
    if not profile.name:
        raise BadProfileError("it has no name")
    if not profile.roles:
        raise BadProfileError("it has no role; choose at least one")
    for title, text in (
        ("name", profile.name),
        ("post", profile.post),
        ("e-mail address", profile.email),
        ("telephone number", profile.phone),
    ):
        if len(text) > _LENGTH:
            raise BadProfileError(f"the {title} has more than {_LENGTH} characters")
        if not text.isprintable():
            raise BadProfileError(f"the {title} holds characters that cannot be printed")
    if profile.email and not _EMAIL.fullmatch(profile.email):
        raise BadProfileError(f"{profile.email!r} is no e-mail address")


async def _check_department(acting: Acting, tenant: str | None, number: int) -> None:
    known = await acting.identity.departments.all()
    if not any(one.id == number and one.tenant == tenant for one in known):
        raise NotFoundError("department", str(number))
