"""Pages and routes of Forms."""

import json

import httpx

from ..site import Site
from . import Example

_VIEW = "forms.view"
_FORM, _ENTRY = {"form_id": "{form}"}, {"entry_id": "{form_entry}"}
_PHOTO = {**_ENTRY, "photo": "{photo}"}
_TITLE = {"en": "of-the-copper-works", "zh_CN": "of-the-copper-works"}
_PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 30
_CONTENT = {
    "title": _TITLE,
    "fields": [
        {"id": "note", "kind": "text", "label": _TITLE},
        {"id": "photo", "kind": "photo"},
    ],
    "steps": [{"id": "check", "who": "role", "name": "engineer"}],
}
_FILE = {"format": "athanor-form", "format_version": 1, "key": "walk-form", "form": _CONTENT}


def prepare(owner: httpx.Client, site: Site) -> dict[str, str]:
    """A form of the copper works, and a draft with a picture."""
    base = "/api/v1/forms"
    form = owner.post(f"{base}/definitions", content=json.dumps(_FILE)).raise_for_status().json()["id"]
    owner.post(f"{base}/definitions/{form}/publish").raise_for_status()
    wish = {"form_id": form, "values": {"note": "of-the-copper-works"}}
    entry = owner.post(f"{base}/entries", json=wish).raise_for_status().json()["id"]
    photo = owner.post(f"{base}/entries/{entry}/photos/photo", content=_PNG).raise_for_status().json()
    return {"form": str(form), "form_entry": str(entry), "photo": str(photo["id"])}


EXAMPLES = [
    Example("/forms", _VIEW),
    Example("/forms/build", "forms.administer"),
    Example("/forms/build/{form_id}", "forms.administer", path=_FORM, names=True),
    Example("/forms/new/{form_id}", _VIEW, path=_FORM, names=True),
    Example("/forms/entries/{entry_id}", _VIEW, path=_ENTRY, names=True),
    Example("/api/v1/forms/definitions", _VIEW),
    Example("/api/v1/forms/definitions", _VIEW, "POST", content=json.dumps({**_FILE, "key": "walk-own"}).replace(
        "of-the-copper-works", "Walk").encode()),
    Example("/api/v1/forms/definitions/{form_id}", _VIEW, path=_FORM, names=True),
    Example("/api/v1/forms/definitions/{form_id}", _VIEW, "PUT", path=_FORM, query={"revision": "0"},
            content=json.dumps(_FILE).encode(), names=True),
    Example("/api/v1/forms/definitions/{form_id}/publish", _VIEW, "POST", path=_FORM, names=True),
    Example("/api/v1/forms/definitions/{form_id}/retire", _VIEW, "POST", path=_FORM, names=True),
    Example("/api/v1/forms/definitions/{form_id}/entries.{form}", _VIEW, path={**_FORM, "form": "csv"}, names=True),
    Example("/api/v1/forms/entries", _VIEW),
    Example("/api/v1/forms/entries", _VIEW, "POST", json={"form_id": "{form}"}, names=True),
    Example("/api/v1/forms/entries/{entry_id}", _VIEW, path=_ENTRY, names=True),
    Example("/api/v1/forms/entries/{entry_id}", _VIEW, "PATCH", path=_ENTRY, json={"values": {"note": "Walk"}},
            names=True),
    Example("/api/v1/forms/entries/{entry_id}/submit", _VIEW, "POST", path=_ENTRY, names=True),
    Example("/api/v1/forms/entries/{entry_id}/decisions", _VIEW, "POST", path=_ENTRY,
            json={"step": "check", "verdict": "approve", "reason": "Walk"}, names=True),
    Example("/api/v1/forms/entries/{entry_id}/withdraw", _VIEW, "POST", path=_ENTRY, json={"reason": "Walk"},
            names=True),
    Example("/api/v1/forms/entries/{entry_id}/photos/{field_id}", _VIEW, "POST", path={**_ENTRY, "field_id": "photo"},
            content=_PNG, names=True),
    Example("/api/v1/forms/entries/{entry_id}/photos/{photo}", _VIEW, path=_PHOTO, names=True),
]  # fmt: skip
