"""How long it takes: until an alarm is seen, told, acknowledged, and back to normal."""

from dataclasses import dataclass

import numpy as np

from athanor.apps.alarms.domain.log import NEVER, Log


@dataclass(frozen=True, slots=True)
class Spread:
    """Of how many it is known, and what half and nine tenths of them do not exceed; NaN for none. [s]"""

    known: int
    median_s: float
    p90_s: float
    longest_s: float


@dataclass(frozen=True, slots=True)
class Response:
    """From source time: seen by Athanor, acknowledged, returned to normal; and how long alarms have stood until now."""

    detected: Spread
    acknowledged: Spread
    returned: Spread
    in_alarm: Spread


def spread(lengths_us: np.ndarray) -> Spread:
    """Of lengths of time in microseconds; negative ones, as of clocks that disagree, count as none at all."""
    if not len(lengths_us):
        return Spread(0, float("nan"), float("nan"), float("nan"))
    lengths_s = np.maximum(lengths_us, 0) / 1e6
    median, p90 = np.quantile(lengths_s, [0.5, 0.9])
    return Spread(len(lengths_s), float(median), float(p90), float(lengths_s.max()))


def response(log: Log, now_us: int) -> Response:
    """The spreads of a log as it stands at `now_us`."""
    is_acknowledged, is_cleared = log.acknowledged_us != NEVER, log.cleared_us != NEVER
    raised = log.raised_us
    return Response(
        spread(log.seen_us - raised),
        spread(log.acknowledged_us[is_acknowledged] - raised[is_acknowledged]),
        spread(log.cleared_us[is_cleared] - raised[is_cleared]),
        spread(np.minimum(log.cleared_us, now_us) - raised),
    )
