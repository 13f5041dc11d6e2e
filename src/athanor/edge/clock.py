"""Instants as telemetry carries them: whole microseconds since 1970 UTC, exact, with no float in between."""

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_microseconds() -> int:
    """The edge's clock."""
    return time.time_ns() // 1000


def microseconds(moment: datetime) -> int:
    """An instant; one without time zone is taken as UTC, which is what protocols mean by it."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)
