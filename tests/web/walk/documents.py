"""Pages and routes of Documents."""

import httpx

from ..site import Site
from . import FURNACE, Example

_ONE = {"document_id": "{document}"}
_VERSION = {**_ONE, "number": "1"}
_FILE = {"name": "walk.txt"}
_ABOUT = {"kind": "asset", "subject": FURNACE}
_VIEW, _EDIT = "documents.view", "documents.edit"


def prepare(owner: httpx.Client, site: Site) -> dict[str, str]:
    """A document about the furnace."""
    query = {"name": "of-the-copper-works.txt", "title": "of-the-copper-works", "asset": FURNACE}
    stored = owner.post("/api/v1/documents", params=query, content=b"of-the-copper-works")
    return {"document": str(stored.raise_for_status().json()["document"])}


EXAMPLES = [
    Example("/documents", _VIEW),
    Example("/documents/retention", "documents.administer"),
    Example("/documents/{document_id}", _VIEW, path=_ONE, names=True),
    Example("/api/v1/documents", _VIEW, query={"search": "copper", "asset": FURNACE}),
    Example("/api/v1/documents", _EDIT, "POST", query={**_FILE, "asset": FURNACE}, content=b"Walk", names=True),
    Example("/api/v1/documents/retention", "documents.administer"),
    Example("/api/v1/documents/{document_id}", _VIEW, path=_ONE, names=True),
    Example("/api/v1/documents/{document_id}", _EDIT, "PATCH", path=_ONE, json={"title": "Walk"}, names=True),
    Example("/api/v1/documents/{document_id}/versions", _EDIT, "POST", path=_ONE, query=_FILE, content=b"Walk",
            names=True),
    Example("/api/v1/documents/{document_id}/versions/{number}/go-back", _EDIT, "POST", path=_VERSION, names=True),
    Example("/api/v1/documents/{document_id}/remove", _EDIT, "POST", path=_ONE, json={"reason": "Walk"}, names=True),
    Example("/api/v1/documents/{document_id}/restore", _EDIT, "POST", path=_ONE, names=True),
    Example("/api/v1/documents/{document_id}/about", _EDIT, "PUT", path=_ONE, json=_ABOUT, names=True),
    Example("/api/v1/documents/{document_id}/about", _EDIT, "DELETE", path=_ONE, query=_ABOUT, names=True),
    Example("/api/v1/documents/{document_id}/content", _VIEW, path=_ONE, names=True),
    Example("/api/v1/documents/{document_id}/versions/{number}/content", _VIEW, path=_VERSION, names=True),
]  # fmt: skip
