"""Pages and routes of Alarms."""

from . import Example

_VIEW = "alarms.view"

EXAMPLES = [
    Example("/alarms", _VIEW),
]
