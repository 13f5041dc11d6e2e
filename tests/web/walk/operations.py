"""Pages and routes of Operations, which is for the park's own people but for one's own jobs."""

from . import PARK_ONLY, Example

_VIEW, _ADMINISTER = "operations.view", "operations.administer"
_PLAN = {"name": "Walk", "kind": "operations.expire-history", "cron": "0 4 * * *"}
_ONE = {"schedule_id": "1"}  # declared by an app, so always there

EXAMPLES = [
    Example("/operations", _VIEW),
    Example("/operations/jobs", _VIEW),
    Example("/operations/jobs/{job_id}", _VIEW, path={"job_id": "{job}"}, names=True),
    Example("/operations/schedules", _ADMINISTER, names=True, owner_gets=PARK_ONLY),
    Example("/operations/schedules/new", _ADMINISTER, names=True, owner_gets=PARK_ONLY),
    Example("/operations/schedules/{schedule_id}", _ADMINISTER, path=_ONE, names=True, owner_gets=PARK_ONLY),
    Example("/operations/logs", _ADMINISTER, names=True, owner_gets=PARK_ONLY),
    Example("/api/v1/operations/health", _ADMINISTER, names=True, owner_gets=PARK_ONLY),
    Example("/api/v1/operations/logs", _ADMINISTER, names=True, owner_gets=PARK_ONLY),
    Example("/api/v1/operations/schedules", _ADMINISTER, names=True, owner_gets=PARK_ONLY),
    Example("/api/v1/operations/schedules", _ADMINISTER, "POST", json=_PLAN, names=True),
    Example("/api/v1/operations/schedules/{schedule_id}", _ADMINISTER, "PUT", path=_ONE, json=_PLAN, names=True),
    Example("/api/v1/operations/schedules/{schedule_id}", _ADMINISTER, "DELETE", path=_ONE, names=True),
]
