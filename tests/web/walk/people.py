"""Pages and routes of People."""

import httpx

from ..site import Site
from . import PARK_ONLY, Example

_ADMINISTER = "people.administer"
_WHO = {"login": "walk-copper"}
_PROFILE = {"name": "Walk", "roles": ["viewer"], "enterprise": "copper"}
_DEPARTMENT = {"number": "{department}"}


def prepare(owner: httpx.Client, site: Site) -> dict[str, str]:
    """A department, an invitation, and what is somebody's of the copper works."""
    base = "/api/v1/people"
    wish = {"enterprise": "copper", "name": "of-the-copper-works"}
    department = owner.post(f"{base}/departments", json=wish).raise_for_status().json()
    owner.post(f"{base}/invitations", json={**_PROFILE, "login": "of-the-copper-works"}).raise_for_status()
    invitation = owner.get(f"{base}/invitations").raise_for_status().json()[0]
    session = owner.get(f"{base}/accounts/walk-copper/sessions").raise_for_status().json()[0]
    return {
        "department": str(department["id"]),
        "invitation": str(invitation["id"]),
        "session": session["handle"],
    }


EXAMPLES = [
    Example("/people", "people.view"),
    Example("/people/roles", _ADMINISTER),
    Example("/people/departments", _ADMINISTER),
    Example("/people/invitations", _ADMINISTER),
    Example("/people/onboarding", _ADMINISTER, names=True, owner_gets=PARK_ONLY),
    Example("/people/{login}", _ADMINISTER, path=_WHO, names=True),
    Example("/api/v1/people/accounts", _ADMINISTER),
    Example("/api/v1/people/accounts", _ADMINISTER, "POST",
            json={**_PROFILE, "login": "walk-made", "password": "correct horse battery"}, names=True),
    Example("/api/v1/people/accounts/{login}", _ADMINISTER, path=_WHO, names=True),
    Example("/api/v1/people/accounts/{login}", _ADMINISTER, "PATCH", path=_WHO, json={"name": "Walk"}, names=True),
    Example("/api/v1/people/accounts/{login}/disable", _ADMINISTER, "POST", path=_WHO, names=True),
    Example("/api/v1/people/accounts/{login}/enable", _ADMINISTER, "POST", path=_WHO, names=True),
    Example("/api/v1/people/accounts/{login}/password-link", _ADMINISTER, "POST", path=_WHO, names=True),
    Example("/api/v1/people/accounts/{login}/second-factor", _ADMINISTER, "DELETE", path=_WHO, names=True),
    Example("/api/v1/people/accounts/{login}/lock", _ADMINISTER, "DELETE", path=_WHO, names=True),
    Example("/api/v1/people/accounts/{login}/sessions", _ADMINISTER, path=_WHO, names=True),
    Example("/api/v1/people/accounts/{login}/sessions/{handle}", _ADMINISTER, "DELETE",
            path={**_WHO, "handle": "{session}"}, names=True),
    Example("/api/v1/people/accounts/{login}/tokens", _ADMINISTER, path=_WHO, names=True),
    Example("/api/v1/people/accounts/{login}/tokens/{number}", _ADMINISTER, "DELETE", path={**_WHO, "number": "1"},
            names=True),
    Example("/api/v1/people/invitations", _ADMINISTER),
    Example("/api/v1/people/invitations", _ADMINISTER, "POST", json={**_PROFILE, "login": "walk-asked"}, names=True),
    Example("/api/v1/people/invitations/{number}", _ADMINISTER, "DELETE", path={"number": "{invitation}"}, names=True),
    Example("/api/v1/people/permissions", _ADMINISTER),
    Example("/api/v1/people/roles", _ADMINISTER),
    Example("/api/v1/people/roles/{name}", _ADMINISTER, "PUT", path={"name": "walk-role"},
            json={"title": {"en": "Walk", "zh_CN": "Walk"}, "permissions": ["data.view"]}, names=True),
    Example("/api/v1/people/roles/{name}", _ADMINISTER, "DELETE", path={"name": "walk-nothing"}, names=True),
    Example("/api/v1/people/departments", _ADMINISTER),
    Example("/api/v1/people/departments", _ADMINISTER, "POST", json={"enterprise": "copper", "name": "Walk"},
            names=True),
    Example("/api/v1/people/departments/{number}", _ADMINISTER, "PATCH", path=_DEPARTMENT, json={"name": "Walk"},
            names=True),
    Example("/api/v1/people/departments/{number}", _ADMINISTER, "DELETE", path=_DEPARTMENT, names=True),
    Example("/api/v1/people/onboarding", _ADMINISTER, names=True, owner_gets=PARK_ONLY),
]  # fmt: skip
