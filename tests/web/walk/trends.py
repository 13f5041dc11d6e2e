"""The page and the route of Trends."""

from . import POWER, Example

EXAMPLES = [
    Example("/trends", "trends.view", query={"tags": POWER}),
    Example("/api/v1/trends/export", "trends.export", query={"tags": POWER, "range": "1h"}, names=True),
]
