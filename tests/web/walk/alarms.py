"""Pages and routes of Alarms."""

from . import Example

_VIEW, _OPERATE, _MAINTAIN = "alarms.view", "alarms.operate", "alarms.maintain"
_ALARM = {"alarm_id": "2147483000"}  # there is none of this number: nobody gets it

EXAMPLES = [
    Example("/alarms", _VIEW),
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
    Example("/api/v1/alarms/alarm/{alarm_id}", _VIEW, path={"alarm_id": "{alarm}"}, names=True),
    Example("/api/v1/alarms/acknowledge", _OPERATE, "POST", json={"alarms": ["{alarm}"]}),
    Example("/api/v1/alarms/reset", _OPERATE, "POST", json={"alarms": ["{alarm}"]}),
    Example("/api/v1/alarms/shelve", _OPERATE, "POST", json={"alarms": ["{alarm}"], "minutes": 5, "reason": "Walk"}),
    Example("/api/v1/alarms/unshelve", _OPERATE, "POST", json={"alarms": ["{alarm}"]}),
    Example("/api/v1/alarms/remove-from-service", _MAINTAIN, "POST", json={"alarms": ["{alarm}"], "reason": "Walk"}),
    Example("/api/v1/alarms/return-to-service", _MAINTAIN, "POST", json={"alarms": ["{alarm}"]}),
]  # fmt: skip
