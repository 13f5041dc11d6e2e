"""One's own account: everybody who has signed in, and nobody else's."""

from datetime import UTC, datetime, timedelta

import httpx

from ..site import Site
from . import Example

_SOON = (datetime.now(UTC) + timedelta(days=1)).isoformat()


def prepare(owner: httpx.Client, site: Site) -> dict[str, str]:
    """A token, and where somebody of the copper works is signed in."""
    wish = {"name": "of-the-copper-works", "scopes": ["data.view"], "expires_at": _SOON}
    owner.post("/api/v1/me/tokens", json=wish).raise_for_status()
    token = owner.get("/api/v1/me/tokens").raise_for_status().json()[0]
    return {"token": str(token["id"])}


EXAMPLES = [
    Example("/account", None),
    Example("/api/v1/me", None),
    Example("/api/v1/me/sessions", None),
    Example("/api/v1/me/sessions", None, "DELETE"),
    Example("/api/v1/me/sessions/{handle}", None, "DELETE", path={"handle": "{session}"}, names=True),
    Example("/api/v1/me/tokens", None),
    Example("/api/v1/me/tokens", None, "POST", json={"name": "Walk", "scopes": ["data.view"], "expires_at": _SOON}),
    Example("/api/v1/me/tokens/{number}", None, "DELETE", path={"number": "{token}"}, names=True),
]
