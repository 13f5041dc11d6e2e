"""Pages and routes of Incidents."""

import httpx

from ..site import Site
from . import Example

_VIEW, _ACTS = "incidents.view", "incidents.operate"
_ONE = {"case_id": "{case}"}
_REVISION = {"revision": "1"}


def prepare(owner: httpx.Client, site: Site) -> dict[str, str]:
    """A case of the copper works, with a task."""
    base = "/api/v1/incidents"
    wish = {"title": "of-the-copper-works", "path": "smelter"}
    case = owner.post(base, json=wish).raise_for_status().json()["id"]
    task = owner.post(f"{base}/{case}/tasks", json={"title": "of-the-copper-works"}).raise_for_status().json()["id"]
    return {"case": str(case), "case_task": str(task)}


EXAMPLES = [
    Example("/incidents", _VIEW),
    Example("/incidents/{case_id}", _VIEW, path=_ONE, names=True),
    Example("/api/v1/incidents", _VIEW),
    Example("/api/v1/incidents", _ACTS, "POST", json={"title": "Walk"}),
    Example("/api/v1/incidents/{case_id}", _VIEW, path=_ONE, names=True),
    Example("/api/v1/incidents/{case_id}/assign", _ACTS, "POST", path=_ONE, query=_REVISION,
            json={"owner": "walker"}, names=True),
    Example("/api/v1/incidents/{case_id}/start", _ACTS, "POST", path=_ONE, query=_REVISION, names=True),
    Example("/api/v1/incidents/{case_id}/resolve", _ACTS, "POST", path=_ONE, query=_REVISION,
            json={"text": "Walk"}, names=True),
    Example("/api/v1/incidents/{case_id}/send-back", _ACTS, "POST", path=_ONE, query=_REVISION,
            json={"text": "Walk"}, names=True),
    Example("/api/v1/incidents/{case_id}/close", _ACTS, "POST", path=_ONE, query=_REVISION,
            json={"disposition": "mended"}, names=True),
    Example("/api/v1/incidents/{case_id}/reopen", _ACTS, "POST", path=_ONE, query=_REVISION,
            json={"text": "Walk"}, names=True),
    Example("/api/v1/incidents/{case_id}/say", _ACTS, "POST", path=_ONE, json={"text": "Walk"}, names=True),
    Example("/api/v1/incidents/{case_id}/tasks", _ACTS, "POST", path=_ONE, json={"title": "Walk"}, names=True),
    Example("/api/v1/incidents/{case_id}/tasks/{task_id}/end", _ACTS, "POST", path={**_ONE, "task_id": "{case_task}"},
            json={"result": "Walk"}, names=True),
    Example("/api/v1/incidents/{case_id}/evidence", _ACTS, "POST", path=_ONE, query={"name": "walk.txt"},
            content=b"Walk", names=True),
]  # fmt: skip
