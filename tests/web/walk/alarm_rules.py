"""Pages and routes of alarm rules."""

from typing import Any

import httpx

from ..site import Site
from . import POWER, Example

_VIEW, _CONFIGURE = "alarms.view", "alarms.configure"
_ONE = {"rule_id": "{alarm_rule}"}


def _rule(name: str) -> dict[str, Any]:
    return {
        "name": {"en": name},
        "subject": {"tag": POWER},
        "condition": {"kind": "limit", "side": "high", "at": 49000},
    }


def prepare(owner: httpx.Client, _site: Site) -> dict[str, str]:
    """A rule of the copper works, and a sheet that they sent."""
    base = "/api/v1/alarms/rules"
    wish = {"key": "walk-rule", "rule": _rule("of-the-copper-works"), "reason": "of-the-copper-works"}
    made = owner.post(base, json=wish).raise_for_status().json()
    sheet = b"Key,Name (English),Tag,Kind,Side,Limit\nwalk-sheet,of-the-copper-works,gone,limit,high,1\n"
    sent = owner.post(f"{base}/files", params={"name": "walk.csv"}, content=sheet).raise_for_status().json()
    return {"alarm_rule": str(made["id"]), "alarm_sheet": sent["file"]}


EXAMPLES = [
    Example("/alarms/rules", _VIEW),
    Example("/alarms/rules/new", _CONFIGURE, query={"tag": "smelter"}),
    Example("/alarms/rules/import", _CONFIGURE),
    Example("/alarms/rules/import/{upload}", _CONFIGURE, path={"upload": "{alarm_sheet}"}, names=True),
    Example("/alarms/rules/{rule_id}", _VIEW, path=_ONE, names=True),
    Example("/api/v1/alarms/rules", _VIEW),
    Example("/api/v1/alarms/rules", _CONFIGURE, "POST",
            json={"key": "walk-foreign", "rule": _rule("Walk"), "reason": "Walk"}),
    Example("/api/v1/alarms/rules/export", "alarms.export"),
    Example("/api/v1/alarms/rules/trial", _CONFIGURE, "POST", json={"rule": _rule("Walk")}),
    Example("/api/v1/alarms/rules/files", _CONFIGURE, "POST", query={"name": "walk.csv"}, content=b"Key\n"),
    Example("/api/v1/alarms/rules/import", _CONFIGURE, "POST", json={"file": "{alarm_sheet}"}, names=True),
    Example("/api/v1/alarms/rules/{rule_id}", _VIEW, path=_ONE, names=True),
    Example("/api/v1/alarms/rules/{rule_id}", _CONFIGURE, "PUT", path=_ONE,
            json={"rule": _rule("Walk"), "revision": 1, "reason": "Walk"}, names=True),
    Example("/api/v1/alarms/rules/{rule_id}", _CONFIGURE, "DELETE", path=_ONE,
            query={"revision": "1", "reason": "Walk"}, names=True),
    Example("/api/v1/alarms/rules/{rule_id}/revisions", _VIEW, path=_ONE, names=True),
]  # fmt: skip
