"""Pages and routes of Alarms."""

import time
from datetime import UTC, datetime
from typing import cast

import httpx

from athanor.kernel.alarms.reporting import Kind
from athanor.kernel.alarms.rule import Priority
from athanor.kernel.alarms.service import Alarms

from ..site import Site
from . import POWER, Example

_VIEW, _OPERATE, _MAINTAIN = "alarms.view", "alarms.operate", "alarms.maintain"
_ALARM = {"alarm_id": "2147483000"}  # there is none of this number: nobody gets it
_ONE, _OCCURRED = {"alarm_id": "{alarm}"}, {"occurrence_id": "{occurrence}"}


def prepare(_owner: httpx.Client, site: Site) -> dict[str, str]:
    """An alarm of the copper works, as an app reports it."""
    kind = Kind({"en": "of-the-copper-works"}, Priority.LOW)
    alarms = cast("Alarms", site.platform.ports["alarms"])
    (change,) = site.wait_for(
        alarms.report(f"walk.alarm-{time.monotonic_ns()}", POWER, is_active=True, at=datetime.now(UTC), kind=kind)
    )
    return {"alarm": str(change.alarm), "occurrence": str(change.occurrence)}


EXAMPLES = [
    Example("/alarms", _VIEW),
    Example("/alarms/alarm/{alarm_id}", _VIEW, path=_ONE, names=True),
    Example("/alarms/occurrences/{occurrence_id}", _VIEW, path=_OCCURRED, names=True),
    Example("/alarms/history", _VIEW, query={"what": "events"}),
    Example("/alarms/speed", _VIEW),
    Example("/alarms/performance", _VIEW),
    Example("/alarms/performance/occurrences", _VIEW, query={"figure": "chattering"}),
    Example("/api/v1/alarms/performance", _VIEW, query={"area": "smelter"}),
    Example("/api/v1/alarms/performance/report", "alarms.export", query={"form": "xlsx"}),
    Example(
        "/api/v1/alarms/performance/alarms/{alarm_id}/suggestions", _VIEW, path=_ALARM, names=True, owner_gets=404
    ),
    Example("/api/v1/alarms", _VIEW, query={"priority": [1, 2], "text": "copper"}),
    Example("/api/v1/alarms/counts", _VIEW),
    Example("/api/v1/alarms/screen-times", _VIEW),
    Example("/api/v1/alarms/alarm/{alarm_id}", _VIEW, path=_ONE, names=True),
    Example("/api/v1/alarms/occurrences", _VIEW, query={"text": "power"}),
    Example("/api/v1/alarms/occurrences/{occurrence_id}", _VIEW, path=_OCCURRED, names=True),
    Example("/api/v1/alarms/occurrences/{occurrence_id}/comments", _OPERATE, "POST", path=_OCCURRED,
            json={"text": "Walk"}, names=True),
    Example("/api/v1/alarms/events", _VIEW),
    Example("/api/v1/alarms/acknowledge", _OPERATE, "POST", json={"alarms": ["{alarm}"]}),
    Example("/api/v1/alarms/reset", _OPERATE, "POST", json={"alarms": ["{alarm}"]}),
    Example("/api/v1/alarms/shelve", _OPERATE, "POST", json={"alarms": ["{alarm}"], "minutes": 5, "reason": "Walk"}),
    Example("/api/v1/alarms/unshelve", _OPERATE, "POST", json={"alarms": ["{alarm}"]}),
    Example("/api/v1/alarms/remove-from-service", _MAINTAIN, "POST", json={"alarms": ["{alarm}"], "reason": "Walk"}),
    Example("/api/v1/alarms/return-to-service", _MAINTAIN, "POST", json={"alarms": ["{alarm}"]}),
]  # fmt: skip
